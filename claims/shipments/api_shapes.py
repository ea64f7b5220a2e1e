"""Request and response shapes of the shipment API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from claims.models import Shipment, ShipmentState, ShipmentUnit
from claims.profiles.api_shapes import ProfileRef
from claims.scanning import scans
from claims.shipments import packing
from claims.shipments.forms import MOST_EXPECTED
from claims.shipments.reconciliation import MISSING, OWNED, RETURNED, WAITING
from console.rest.entries import Row
from console.rest.fields import Body, Flag, Id, Text, Whole
from console.rest.paging import PageQuery
from customers.api_shapes import CustomerRef
from devices.api.naming import NamedResult
from devices.api.shapes import DeviceDetails, ProductRef

MOST_LINES = 200
FATES = [
    (OWNED, "the customer owns it"),
    (RETURNED, "it came back"),
    (WAITING, "it was sent but is not claimed yet"),
    (MISSING, "none of these"),
]


class ShipmentOut(serializers.ModelSerializer):
    """A shipment as it appears in lists, without its lines."""

    code = serializers.CharField(help_text="The number as it is written and printed, such as S-00017.")
    customer = CustomerRef()
    state = serializers.ChoiceField(choices=ShipmentState.choices)
    claim_profile = ProfileRef(
        source="profile", allow_null=True, help_text="The claim profile of a box that is claimed by code, else null."
    )
    operation = serializers.IntegerField(
        source="operation_id", allow_null=True, help_text="The id of the operation that ships or shipped it."
    )

    class Meta:
        model = Shipment
        fields = [
            "id",
            "number",
            "code",
            "customer",
            "order_number",
            "ship_to",
            "state",
            "tells_customer",
            "is_claimed_by_code",
            "claim_profile",
            "unit_count",
            "operation",
            "created_at",
            "created_by",
            "shipped_at",
            "cancelled_at",
        ]


class LineOut(serializers.Serializer):
    """A line with the packed and ordered numbers of devices of a product; `expected` is null if none were ordered."""

    product = ProductRef()
    expected = serializers.IntegerField(allow_null=True)
    packed = serializers.IntegerField()


class ShipmentDetail(ShipmentOut):
    """A shipment with its lines: what was ordered and what is packed."""

    lines = serializers.SerializerMethodField()

    class Meta(ShipmentOut.Meta):
        fields = [*ShipmentOut.Meta.fields, "lines"]

    @extend_schema_field(LineOut(many=True))
    def get_lines(self, shipment: Shipment) -> list[dict[str, Any]]:
        """Return the ordered products, followed by any others that are packed."""
        return LineOut(packing.progress(shipment), many=True).data


class LineIn(Row):
    """An order line: a product and how many of its devices are ordered."""

    product = Text(max_length=60, help_text="The product's id or slug.")
    expected = Whole(min_value=1, max_value=MOST_EXPECTED)


class ShipmentIn(Body):
    """A shipment to create or edit. Without lines, devices of any product may be packed."""

    customer = Id()
    order_number = Text(max_length=60, required=False, allow_blank=True)
    ship_to = Text(max_length=400, required=False, allow_blank=True)
    tells_customer = Flag(default=False, help_text="Whether to email the customer when it is shipped.")
    is_claimed_by_code = Flag(default=False, help_text="Whether the customer claims the whole box with a code.")
    lines = serializers.ListField(child=LineIn(), required=False, max_length=MOST_LINES)


class ShipmentQuery(PageQuery):
    """Filters and paging of the list of shipments."""

    q = Text(required=False, max_length=60, help_text="The number, or the beginning of the order number.")
    state = serializers.ChoiceField(choices=ShipmentState.choices, required=False)
    customer = Id(required=False, in_query=True)


class PackIn(Body):
    """Scanned texts: any device identifier, its claim link or typed code, or GS1 data with its serial number."""

    scans = serializers.ListField(
        child=Text(max_length=scans.MOST_CHARACTERS), min_length=1, max_length=scans.MOST_LINES
    )


class ScanOut(serializers.Serializer):
    """The result of one scan. `code` is `added`, `already_here`, or the reason why the device was not packed."""

    scan = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    device = serializers.IntegerField(allow_null=True)


class PackOut(serializers.Serializer):
    """The result of each scan, in request order, and how many devices are packed now."""

    results = ScanOut(many=True)
    unit_count = serializers.IntegerField()


class UnpackOut(serializers.Serializer):
    """The ids of the removed devices, how many are still packed, and a result for each name, in request order.

    Result codes: `ok`, `not_packed`, `claimed`, `archived`, `not_found`, `ambiguous`, `duplicate`.
    """

    results = NamedResult(many=True)
    unpacked = serializers.ListField(child=serializers.IntegerField())
    unit_count = serializers.IntegerField()


class ShipmentUnitOut(serializers.ModelSerializer):
    """A device of a shipment. `fate` says what became of it; null until it was claimed or the shipment has left.

    `claim` is the id of the claim with which the customer took it, by its own code or the code of the box; else null.
    """

    device = DeviceDetails()
    fate = serializers.SerializerMethodField()
    claim = serializers.IntegerField(source="claim_id", allow_null=True)

    class Meta:
        model = ShipmentUnit
        fields = ["device", "packed_at", "packed_by", "fate", "claim"]

    @extend_schema_field(serializers.ChoiceField(choices=FATES, allow_null=True))
    def get_fate(self, unit: Any) -> str | None:
        """Return what became of the device: owned, returned, waiting or missing; None if that is not known yet."""
        return unit.fate if self.context["has_left"] or unit.claim_id else None


class BalanceRow(serializers.Serializer):
    """Numbers of devices of one product. `missing` ones are neither owned, nor returned, nor waiting."""

    product = ProductRef()
    ordered = serializers.IntegerField(source="expected", allow_null=True)
    shipped = serializers.IntegerField(
        help_text="How many were shipped, or are packed as long as the shipment has not left."
    )
    short = serializers.IntegerField(help_text="How many were ordered but not shipped.")
    owned = serializers.IntegerField()
    claimed = serializers.IntegerField(help_text="How many of the owned devices the customer claimed with a code.")
    returned = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="How many were sent but are not claimed yet.")
    missing = serializers.IntegerField()


class BalanceOut(serializers.Serializer):
    """The balance of a shipment, with one row for each product."""

    results = BalanceRow(many=True)
