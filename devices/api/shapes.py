"""Request and response shapes of products, devices and ownerships in the REST API."""

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from console.rest.fields import Between, Body, Flag, Id, Text
from console.rest.paging import FeedQuery, PageQuery
from customers.api_shapes import CustomerRef
from devices.fields import OPEN
from devices.models import Device, DeviceStatus, Ownership, OwnershipMode, Product
from devices.tags import MAX_LENGTH, MAX_TAGS, PATTERN

# How an open end is written in answers; it is never stored.
OPEN_END = "2999-12-31T23:59:59Z"


class ProductRef(serializers.Serializer):
    """A short reference to a product."""

    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()


class ProductOut(serializers.ModelSerializer):
    """A product: a kind of device with its settings."""

    ownership_mode = serializers.ChoiceField(choices=OwnershipMode.choices)
    single_account = CustomerRef(allow_null=True)

    class Meta:
        model = Product
        fields = [
            "id",
            "slug",
            "name",
            "platform",
            "description",
            "ownership_mode",
            "single_account",
            "unowned_may_subscribe",
            "customers_may_take",
            "created_at",
            "archived_at",
        ]


class ProductIn(Body):
    """The data of a new product. An empty slug is derived from the name."""

    name = Text(max_length=120)
    slug = Text(pattern="^[-a-zA-Z0-9_]*$", max_length=60, required=False, allow_blank=True)
    platform = Text(max_length=60, required=False, allow_blank=True)
    description = Text(max_length=400, required=False, allow_blank=True)
    ownership_mode = serializers.ChoiceField(choices=OwnershipMode.choices, default=OwnershipMode.CUSTOMER)
    single_account = Id(
        required=False,
        allow_null=True,
        help_text="The internal customer that owns new devices. Only for the ownership mode single_account.",
    )
    unowned_may_subscribe = Flag(required=False)
    customers_may_take = Flag(
        required=False, help_text="true: customers may take its devices by serial number and device name."
    )


class ProductQuery(PageQuery):
    """The filters and the page of a list of products."""

    archived = Flag(default=False, help_text="true: only archived ones; false: only those that are not archived.")


class DeviceOut(serializers.ModelSerializer):
    """A device. A customer's key gets no notes, no tags and no radio identifiers: those belong to the organization.

    `firmware_version` is what the device last reported, and `reported_at` is when. Both are null if it never reported
    anything, and for a customer's key if it did not within the current ownership.

    `wipe_pending` is true while the device is asked to erase the data of former owners and has not confirmed it. It has
    been pending since `wipe_since`, the end of the first such ownership. `wipe_asked_at` is the time of the newest
    request, which the device confirms. A customer's key gets `wipe_pending` for devices that its customer owns, and no
    times.
    """

    product = ProductRef()
    status = serializers.ChoiceField(choices=DeviceStatus.choices)
    customer = CustomerRef(allow_null=True)
    tags = serializers.SerializerMethodField()
    notes = serializers.SerializerMethodField()
    is_development = serializers.BooleanField()
    firmware_version = serializers.SerializerMethodField()
    reported_at = serializers.SerializerMethodField()
    wipe_pending = serializers.SerializerMethodField()

    class Meta:
        model = Device
        fields = [
            "id",
            *(field.name for field in OPEN if field.key),
            "product",
            "status",
            "customer",
            *(field.name for field in OPEN if not field.key),
            "firmware_version",
            "reported_at",
            "wipe_pending",
            "wipe_since",
            "wipe_asked_at",
            "wipe_confirmed_at",
            "created_at",
            "archived_at",
        ]

    def get_tags(self, device: Device) -> list[str]:
        """Return the names of the tags, in order."""
        return [] if self._is_customer else sorted(each.tag.name for each in device.device_tags.all())

    def get_notes(self, device: Device) -> str | None:
        """Return the notes. Only the organization sees them."""
        return device.notes

    def get_firmware_version(self, device: Device) -> str | None:
        """Return the firmware version that the device reported last."""
        report = getattr(device, "report", None)
        return report.firmware_version if report else None

    def get_reported_at(self, device: Device) -> datetime | None:
        """Return the time of the last report."""
        report = getattr(device, "report", None)
        return report.reported_at if report else None

    def get_wipe_pending(self, device: Device) -> bool:
        """Return whether a wipe was requested and is not confirmed."""
        return device.wipe_since is not None

    @property
    def _is_customer(self) -> bool:
        return self.context.get("reader") != "member"

    def to_representation(self, device: Device) -> dict[str, Any]:
        shown = super().to_representation(device)
        if self._is_customer:
            shown |= {field.name: field.hidden_as for field in OPEN if not field.for_customers}
            # The times would reveal when somebody else's ownership ended.
            shown |= dict.fromkeys(("wipe_since", "wipe_asked_at", "wipe_confirmed_at"))
        if self._is_customer and device.customer_id not in self.context.get("customers", ()):
            # It is shared with the reader, who may not know its owner.
            shown |= {"customer": None, "wipe_pending": False}
        return shown


class DeviceIn(Body):
    """The data of a new device, or the fields of a device to change."""

    product = Text(max_length=60, help_text="The id or slug of the product.")
    serial_number = Text(max_length=64)
    device_name = Text(
        pattern=r"^[A-Za-z0-9_-]{6,64}$",
        max_length=64,
        help_text="The factory identifier: 6 to 64 letters, digits, - or _.",
    )
    imei = Text(pattern=r"^([0-9]{15})?$", max_length=15, required=False, allow_blank=True)
    iccid = Text(pattern=r"^(89[0-9]{17,18})?$", max_length=20, required=False, allow_blank=True)
    mac = Text(pattern=r"^([0-9A-F]{2}(:[0-9A-F]{2}){5})?$", max_length=17, required=False, allow_blank=True)
    hardware_revision = Text(max_length=40, required=False, allow_blank=True)
    manufactured_on = serializers.DateField(required=False, allow_null=True)
    is_development = Flag(required=False)
    tags = serializers.ListField(
        child=Text(pattern=PATTERN, max_length=MAX_LENGTH), required=False, max_length=MAX_TAGS
    )
    notes = Text(max_length=2000, required=False, allow_blank=True)


class DeviceQuery(PageQuery):
    """The filters and the page of a list of devices. Archived ones are left out unless they are asked for."""

    q = Text(required=False, max_length=64, help_text="The start of the serial number or device name.")
    serial_number = Text(required=False, max_length=64, help_text="The complete serial number, in upper or lower case.")
    device_name = Text(required=False, max_length=64, help_text="The complete device name, in upper or lower case.")
    product = Text(required=False, max_length=60, help_text="The id or slug of the product.")
    customer = Id(required=False, in_query=True, help_text="The id of the current owner.")
    status = serializers.ChoiceField(choices=DeviceStatus.choices, required=False)
    tag = Text(required=False, max_length=40)
    current = Flag(
        required=False,
        help_text="true: only owned devices (with a customer's key: owned by its customer); false: only the others.",
    )
    development = Flag(default=False, help_text="true: only development devices; false: all devices.")
    archived = Flag(default=False, help_text="true: only archived ones; false: only those that are not archived.")


class OwnerIn(Body):
    """The customer who becomes the owner, and a note for the history of the device."""

    customer = Id()
    note = Text(max_length=500, required=False, allow_blank=True)


class ReasonQuery(Body):
    """The reason, and what happens to claim profiles that list the device."""

    reason = Text(max_length=500)
    leaves_profiles = Flag(
        default=False,
        help_text="true: remove the device from claim profiles that list it, so that their codes keep working.",
    )


class DeviceDetails(serializers.Serializer):
    """The identifiers of a device."""

    id = serializers.IntegerField()
    device_name = serializers.CharField()
    serial_number = serializers.CharField()


class OwnershipOut(serializers.ModelSerializer):
    """One ownership, from `start_time` on and before `end_time`. The end of an open one is 2999-12-31T23:59:59Z."""

    start_time = serializers.DateTimeField(source="started_at")
    end_time = serializers.SerializerMethodField()
    device = serializers.IntegerField(source="device_id")
    manager = serializers.IntegerField(source="customer_id")
    device_details = DeviceDetails(source="device")

    class Meta:
        model = Ownership
        fields = ["id", "start_time", "end_time", "device", "manager", "device_details"]

    def get_end_time(self, span: Ownership) -> datetime:
        """Return the end, or `OPEN_END` for an open ownership."""
        return (
            OPEN_END  # type: ignore[return-value]  # the description of the API tells the format by the annotation
            if span.ended_at is None
            else span.ended_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        )


class ReleaseIn(Body):
    """The reason for the release, for the history of the device."""

    reason = Text(max_length=500, default="", allow_blank=True)


class OwnershipQuery(Between, FeedQuery):
    """The filters of a list of ownerships. `from` and `to` select those that overlap the time between them."""

    device = Id(required=False, in_query=True)
    serial_number = Text(required=False, max_length=64)
    manager = Id(required=False, in_query=True, help_text="The customer.")
    current = Flag(required=False, help_text="true: only open ones; false: only ended ones.")


class TakeIn(Body):
    """The device to take, by both of its names as they are printed on it and written in the factory's list."""

    serial_number = Text(max_length=64)
    device_name = Text(max_length=64)
