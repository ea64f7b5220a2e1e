"""Shapes of the requests and responses of the REST API of returns."""

from typing import Any

from rest_framework import serializers

from claims.models import Grade, Return, ReturnState
from claims.returns.actions.inspection import DECISIONS
from claims.returns.filters import OPEN
from claims.scanning.scans import MOST_CHARACTERS
from console.rest.exports import unpaged
from console.rest.fields import Body, Flag, Id, Text
from console.rest.paging import PageQuery
from customers.api_shapes import CustomerRef
from devices.api.naming import Named
from devices.api.shapes import DeviceDetails

MOST_INSPECTED, MOST_CHECKS = 5_000, 100
# Internal to the organization: null with a customer's key.
INTERNAL = (
    "note",
    "shipment",
    "requested_by",
    "received_by",
    "inspected_at",
    "inspected_by",
    "closed_by",
    "grade",
    "checks",
    "needs_label",
    "operation",
)
# Customers do not learn which decision was made: they see `done`.
DONE = "done"
STATES = [*ReturnState.choices, (DONE, "restocked, refurbished or scrapped")]


class CheckOut(serializers.Serializer):
    """A point of the inspection checklist, and whether it was in order."""

    text = serializers.CharField()
    is_ok = serializers.BooleanField()


class ReturnOut(serializers.ModelSerializer):
    """The return of one device. With a customer's key, the fields internal to the organization are null."""

    code = serializers.CharField(help_text="The number as it is printed on the slip, such as R-00017.")
    device = DeviceDetails()
    customer = CustomerRef(allow_null=True, help_text="Who owned the device; null if nobody did.")
    shipment = serializers.IntegerField(source="shipment_id", allow_null=True)
    state = serializers.ChoiceField(choices=STATES, help_text="With a customer's key, a decision reads as done.")
    note = serializers.CharField(allow_null=True)
    requested_by = serializers.CharField(allow_null=True)
    received_by = serializers.CharField(allow_null=True)
    inspected_by = serializers.CharField(allow_null=True)
    closed_by = serializers.CharField(allow_null=True)
    grade = serializers.ChoiceField(choices=Grade.choices, allow_blank=True, allow_null=True)
    checks = CheckOut(many=True, allow_null=True)
    needs_label = serializers.BooleanField(
        allow_null=True, help_text="Whether its label no longer works and no new one is printed yet."
    )
    operation = serializers.IntegerField(
        source="operation_id", allow_null=True, help_text="The id of the operation that received the device."
    )

    class Meta:
        model = Return
        fields = [
            "id",
            "number",
            "code",
            "device",
            "customer",
            "shipment",
            "state",
            "reason",
            "customer_note",
            "note",
            "requested_at",
            "requested_by",
            "received_at",
            "received_by",
            "inspected_at",
            "inspected_by",
            "grade",
            "checks",
            "closed_at",
            "closed_by",
            "needs_label",
            "operation",
            "created_at",
        ]

    def to_representation(self, returned: Return) -> dict[str, Any]:
        """Return the fields; those that a customer's key may not read are null, and a decision is `done`."""
        said = super().to_representation(returned)
        if self.context.get("reader") != "customer":
            return said
        return said | dict.fromkeys(INTERNAL) | {"state": DONE if returned.state in DECISIONS else returned.state}


class ReturnQuery(PageQuery):
    """Which returns to list, by number or serial number, state, reason, customer and need of a label."""

    q = Text(required=False, max_length=64, help_text="The number, or the beginning of the serial number.")
    state = serializers.ChoiceField(choices=[(OPEN, "under way"), *STATES], required=False)
    reason = Text(required=False, max_length=80)
    customer = Id(required=False, in_query=True)
    needs_label = Flag(
        default=False, help_text="Only devices whose label no longer works and that have no new one yet."
    )


class ReturnExportQuery(unpaged(ReturnQuery)):  # type: ignore[misc]
    """Filters of the returns to download."""

    state = serializers.ChoiceField(choices=[(OPEN, "under way"), *ReturnState.choices], required=False)


class ReceiveIn(Named):
    """The devices that came back, and why.

    Without a reason, each device keeps the reason that its owner gave when requesting the return.
    """

    reason = Text(
        max_length=80, required=False, allow_blank=True, help_text="One of the reasons listed by returns/choices."
    )
    note = Text(max_length=500, required=False, allow_blank=True)
    also_unowned = Flag(
        default=False, help_text="Whether to also receive devices that have no owner, such as those in stock."
    )
    leaves_profiles = Flag(
        default=False,
        help_text="true: remove them from claim profiles that list them, so that their codes keep working.",
    )


class CheckIn(Body):
    """A point of the inspection checklist, and whether it is in order."""

    text = Text(max_length=160)
    is_ok = Flag()


class InspectIn(Body):
    """The findings for devices in quarantine, and the decision about them; without a decision they stay there.

    A grade requires an answer to every point of the checklist, see returns/choices.
    """

    returns = serializers.ListField(child=Id(), min_length=1, max_length=MOST_INSPECTED)
    grade = serializers.ChoiceField(choices=Grade.choices, required=False)
    checks = serializers.ListField(child=CheckIn(), required=False, max_length=MOST_CHECKS)
    decision = serializers.ChoiceField(choices=[(state.value, state.label) for state in DECISIONS], required=False)
    note = Text(max_length=500, required=False, allow_blank=True)


class RequestIn(Body):
    """The device that a customer sends back, and why."""

    device = Id()
    reason = Text(max_length=80, help_text="One of the reasons listed by returns/choices.")
    note = Text(max_length=1000, required=False, allow_blank=True)


class SwapIn(Body):
    """The device that replaces the old one, and why the old one is replaced."""

    replacement = Text(
        max_length=MOST_CHARACTERS, help_text="Serial number, device name or label of a device in stock."
    )
    reason = Text(max_length=80, help_text="One of the reasons listed by returns/choices.")
    note = Text(max_length=500, required=False, allow_blank=True)
    is_here = Flag(
        default=True, help_text="false: the old device is still with the customer, and its return stays requested."
    )
    other_product = Flag(default=False, help_text="true: the replacement may be of another product.")
    leaves_profiles = Flag(
        default=False,
        help_text="true: remove the old device from claim profiles that list it, so that their codes keep working.",
    )


class ChoicesOut(serializers.Serializer):
    """The reasons for returns and the inspection checklist.

    With a customer's key, only the reasons offered to customers are listed, and the checklist is empty.
    """

    reasons = serializers.ListField(child=serializers.CharField())
    checks = serializers.ListField(child=serializers.CharField())
