"""Shapes of customers in the API."""

from rest_framework import serializers

from console.rest.fields import Body, Flag, Text
from console.rest.paging import PageQuery
from customers.models import Customer, CustomerKind


class CustomerOut(serializers.ModelSerializer):
    """A company, person or internal account that can own devices."""

    kind = serializers.ChoiceField(choices=CustomerKind.choices)

    class Meta:
        model = Customer
        fields = [
            "id",
            "kind",
            "name",
            "reference",
            "email",
            "phone",
            "address",
            "notes",
            "may_take",
            "created_at",
            "archived_at",
        ]


class CustomerIn(Body):
    """The details of a customer."""

    kind = serializers.ChoiceField(choices=CustomerKind.choices, default=CustomerKind.COMPANY)
    name = Text(max_length=120)
    reference = Text(max_length=60, required=False, allow_blank=True)
    email = Text(max_length=254, required=False, allow_blank=True)
    phone = Text(max_length=40, required=False, allow_blank=True)
    address = Text(max_length=400, required=False, allow_blank=True)
    notes = Text(max_length=2000, required=False, allow_blank=True)
    may_take = Flag(
        default=True, help_text="true: the customer may take devices of products whose `customers_may_take` is true."
    )


class CustomerQuery(PageQuery):
    """Which of the customers to list."""

    q = Text(required=False, max_length=120, help_text="The start of the name, reference or email address.")
    kind = serializers.ChoiceField(choices=CustomerKind.choices, required=False)
    reference = Text(required=False, max_length=60, help_text="The complete reference, in upper or lower case.")
    has_devices = Flag(
        required=False,
        allow_null=False,
        help_text="true: only customers that own a device; false: only those that own none.",
    )
    archived = Flag(default=False, help_text="true: only archived ones; false: only those that are not archived.")
