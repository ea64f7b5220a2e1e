"""What the API says and takes of returns."""

from typing import Any

from rest_framework import serializers

from claims.models import Grade, Return, ReturnState
from claims.returns.actions.inspection import DECISIONS
from claims.returns.filters import OPEN
from claims.scanning.scans import MOST_CHARACTERS
from console.rest.fields import Body, Flag, Id, Text
from console.rest.paging import PageQuery
from customers.api.shapes import CustomerRef
from devices.api.naming import Named
from devices.api.shapes import DeviceDetails

MOST_INSPECTED, MOST_CHECKS = 5_000, 100
# What is the organization's own business: to a customer's key it is null.
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
# Which of the decisions was taken, a customer is not told: for him it is done.
DONE = "done"
STATES = [*ReturnState.choices, (DONE, "restocked, refurbished or scrapped")]


class CheckOut(serializers.Serializer):
    """A point of the checklist, as it was found."""

    text = serializers.CharField()
    is_ok = serializers.BooleanField()


class ReturnOut(serializers.ModelSerializer):
    """A unit coming back. To a customer's key, what is the organization's alone is null."""

    code = serializers.CharField(help_text="Its number as people say it, and as the slip shows it.")
    device = DeviceDetails()
    customer = CustomerRef(allow_null=True, help_text="Who owned it; null where nobody did.")
    shipment = serializers.IntegerField(source="shipment_id", allow_null=True)
    state = serializers.ChoiceField(choices=STATES, help_text="To a customer's key a decision reads done.")
    note = serializers.CharField(allow_null=True)
    requested_by = serializers.CharField(allow_null=True)
    received_by = serializers.CharField(allow_null=True)
    inspected_by = serializers.CharField(allow_null=True)
    closed_by = serializers.CharField(allow_null=True)
    grade = serializers.ChoiceField(choices=Grade.choices, allow_blank=True, allow_null=True)
    checks = CheckOut(many=True, allow_null=True)
    needs_label = serializers.BooleanField(allow_null=True, help_text="Its label is dead and not yet printed anew.")
    operation = serializers.IntegerField(source="operation_id", allow_null=True, help_text="That received it.")

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
        """Without what is not the reader's."""
        said = super().to_representation(returned)
        if self.context.get("reader") != "customer":
            return said
        return said | dict.fromkeys(INTERNAL) | {"state": DONE if returned.state in DECISIONS else returned.state}


class ReturnQuery(PageQuery):
    """Which returns."""

    q = Text(required=False, max_length=64, help_text="The number, or the beginning of the serial number.")
    state = serializers.ChoiceField(choices=[(OPEN, "under way"), *STATES], required=False)
    reason = Text(required=False, max_length=80)
    customer = Id(required=False, in_query=True)
    needs_label = Flag(default=False, help_text="Only units whose label is dead and not yet printed anew.")


class ReceiveIn(Named):
    """Units that came back. Without a reason, each keeps what its owner gave when he asked to send it back."""

    reason = Text(max_length=80, required=False, allow_blank=True, help_text="One of those of returns/choices.")
    note = Text(max_length=500, required=False, allow_blank=True)
    also_unowned = Flag(default=False, help_text="Receive units in stock too, which nobody owns.")
    leaves_profiles = Flag(
        default=False,
        help_text="true: take them out of claim profiles that list them, so that the codes of these keep working.",
    )


class CheckIn(Body):
    """A point of the checklist, as it is found."""

    text = Text(max_length=160)
    is_ok = Flag()


class InspectIn(Body):
    """What was found at units in quarantine, and what becomes of them; without a decision they stay there.

    A grade asks for every point of the checklist, see returns/choices.
    """

    returns = serializers.ListField(child=Id(), min_length=1, max_length=MOST_INSPECTED)
    grade = serializers.ChoiceField(choices=Grade.choices, required=False)
    checks = serializers.ListField(child=CheckIn(), required=False, max_length=MOST_CHECKS)
    decision = serializers.ChoiceField(choices=[(state.value, state.label) for state in DECISIONS], required=False)
    note = Text(max_length=500, required=False, allow_blank=True)


class RequestIn(Body):
    """Which device a customer sends back, and why."""

    device = Id()
    reason = Text(max_length=80, help_text="One of those of returns/choices.")
    note = Text(max_length=1000, required=False, allow_blank=True)


class SwapIn(Body):
    """Which unit takes the place of another."""

    replacement = Text(max_length=MOST_CHARACTERS, help_text="Serial number, device name or label of a unit in stock.")
    reason = Text(max_length=80, help_text="One of those of returns/choices.")
    note = Text(max_length=500, required=False, allow_blank=True)
    is_here = Flag(default=True, help_text="false: the old unit is still with the customer; its return is requested.")
    other_product = Flag(default=False, help_text="true: a unit of another product is meant.")
    leaves_profiles = Flag(
        default=False,
        help_text="true: take the old unit out of claim profiles that list it, so that the codes of these keep working.",
    )


class ChoicesOut(serializers.Serializer):
    """Why units come back, and what is checked then. A customer's key sees the reasons that are offered to customers."""

    reasons = serializers.ListField(child=serializers.CharField())
    checks = serializers.ListField(child=serializers.CharField())
