"""What the API says and takes of shipments."""

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
from customers.api.shapes import CustomerRef
from devices.api.naming import NamedResult
from devices.api.shapes import DeviceDetails, ProductRef

MOST_LINES = 200
FATES = [
    (OWNED, "the customer owns it"),
    (RETURNED, "it came back"),
    (WAITING, "it left and is not claimed yet"),
    (MISSING, "none of these"),
]


class ShipmentOut(serializers.ModelSerializer):
    """A shipment, as lists show it."""

    code = serializers.CharField(help_text="Its number as people say it.")
    customer = CustomerRef()
    state = serializers.ChoiceField(choices=ShipmentState.choices)
    claim_profile = ProfileRef(source="profile", allow_null=True, help_text="Of a box that is claimed by code.")
    operation = serializers.IntegerField(source="operation_id", allow_null=True, help_text="That ships or shipped it.")

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
    """How many units of a product are packed, and how many were ordered; null where nothing was said of it."""

    product = ProductRef()
    expected = serializers.IntegerField(allow_null=True)
    packed = serializers.IntegerField()


class ShipmentDetail(ShipmentOut):
    """A shipment with its lines."""

    lines = serializers.SerializerMethodField()

    class Meta(ShipmentOut.Meta):
        fields = [*ShipmentOut.Meta.fields, "lines"]

    @extend_schema_field(LineOut(many=True))
    def get_lines(self, shipment: Shipment) -> list[dict[str, Any]]:
        """What was ordered, then what else is packed."""
        return LineOut(packing.progress(shipment), many=True).data


class LineIn(Row):
    """How many units of a product are ordered."""

    product = Text(max_length=60, help_text="The id or the slug.")
    expected = Whole(min_value=1, max_value=MOST_EXPECTED)


class ShipmentIn(Body):
    """A new shipment. Without lines, units of every product may be packed."""

    customer = Id()
    order_number = Text(max_length=60, required=False, allow_blank=True)
    ship_to = Text(max_length=400, required=False, allow_blank=True)
    tells_customer = Flag(default=False, help_text="Mail the customer when it is shipped.")
    is_claimed_by_code = Flag(default=False, help_text="The customer claims the whole box with a code.")
    lines = serializers.ListField(child=LineIn(), required=False, max_length=MOST_LINES)


class ShipmentQuery(PageQuery):
    """Which shipments."""

    q = Text(required=False, max_length=60, help_text="The number, or the beginning of the order number.")
    state = serializers.ChoiceField(choices=ShipmentState.choices, required=False)
    customer = Id(required=False, in_query=True)


class PackIn(Body):
    """What was scanned: an identifier of a unit, its claim link or typed code, or GS1 data with its serial number."""

    scans = serializers.ListField(
        child=Text(max_length=scans.MOST_CHARACTERS), min_length=1, max_length=scans.MOST_LINES
    )


class ScanOut(serializers.Serializer):
    """What one scan came to: `added`, `already_here`, or why the unit was not packed."""

    scan = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    device = serializers.IntegerField(allow_null=True)


class PackOut(serializers.Serializer):
    """What each scan came to, in the order of the call, and how many units are packed now."""

    results = ScanOut(many=True)
    unit_count = serializers.IntegerField()


class UnpackOut(serializers.Serializer):
    """Which devices are out again, how many are still packed, and what became of each name, in the order of the call.

    Codes: `ok`, `not_packed`, `claimed`, `archived`, `not_found`, `ambiguous`, `duplicate`.
    """

    results = NamedResult(many=True)
    unpacked = serializers.ListField(child=serializers.IntegerField())
    unit_count = serializers.IntegerField()


class ShipmentUnitOut(serializers.ModelSerializer):
    """A unit of a shipment. `fate` says what became of it; null until the shipment has left or the unit was claimed.

    `claim` is the claim with which the customer took it, by its own code or the box's; else null.
    """

    device = DeviceDetails()
    fate = serializers.SerializerMethodField()
    claim = serializers.IntegerField(source="claim_id", allow_null=True)

    class Meta:
        model = ShipmentUnit
        fields = ["device", "packed_at", "packed_by", "fate", "claim"]

    @extend_schema_field(serializers.ChoiceField(choices=FATES, allow_null=True))
    def get_fate(self, unit: Any) -> str | None:
        """Owned, returned, waiting or missing."""
        return unit.fate if self.context["has_left"] or unit.claim_id else None


class BalanceRow(serializers.Serializer):
    """One product of a shipment, in units. `missing` ones are neither the customer's, nor returned, nor waiting."""

    product = ProductRef()
    ordered = serializers.IntegerField(source="expected", allow_null=True)
    shipped = serializers.IntegerField(help_text="Packed, until the shipment has left.")
    short = serializers.IntegerField(help_text="Ordered and not shipped.")
    owned = serializers.IntegerField()
    claimed = serializers.IntegerField(help_text="Of the owned, those that the customer claimed itself.")
    returned = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Not claimed yet.")
    missing = serializers.IntegerField()


class BalanceOut(serializers.Serializer):
    """What became of a shipment, by product."""

    results = BalanceRow(many=True)
