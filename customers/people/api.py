"""People of a customer over REST. They use the portal."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import Permission
from console.people import allowances
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Email, Text
from console.rest.forms import checked
from console.rest.paging import page
from customers.models import Customer, CustomerRole, CustomerUser
from customers.people.actions import people
from customers.people.forms import PersonForm

TAG = "people"

MAY = Permission.CUSTOMER_INVITE


class PersonOut(serializers.ModelSerializer):
    """A person who belongs to a customer."""

    name = serializers.CharField(source="user.name")
    email = serializers.CharField(source="user.email")
    role = serializers.ChoiceField(choices=CustomerRole.choices)
    has_signed_in = serializers.SerializerMethodField()

    class Meta:
        model = CustomerUser
        fields = ["id", "name", "email", "role", "has_signed_in", "created_at"]

    def get_has_signed_in(self, person: CustomerUser) -> bool:
        """Whether the person has ever signed in."""
        return person.user.last_login is not None


class PersonIn(Body):
    """A person to invite to a customer."""

    email = Email()
    name = Text(max_length=120, required=False, allow_blank=True)
    role = serializers.ChoiceField(choices=CustomerRole.choices, default=CustomerRole.ADMIN)


class RoleIn(Body):
    """The role to give to a person."""

    role = serializers.ChoiceField(choices=CustomerRole.choices)


@endpoint("List a customer's people", may=Permission.VIEW, answers=PersonOut, is_list=True)
def person_list(request: Any, pk: int) -> Any:
    """Returns the people who may use the customer's portal."""
    return page(request.query, _people(request, pk), PersonOut)


@endpoint(
    "Invite a person",
    may=MAY,
    takes=PersonIn,
    answers=PersonOut,
    status=201,
    example={"email": "dana@example.com", "role": "admin"},
)
def person_invite(request: Any, pk: int) -> Any:
    """Invites a person to the customer. They receive an email with a link to the portal."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    form = checked(PersonForm, request.body_data)
    allowances.invitation(request.actor.organization, form.cleaned_data["email"])
    return people.invite(customer, by=request.actor, **form.cleaned_data)


@endpoint("Change a person's role", may=MAY, takes=RoleIn, answers=PersonOut)
def person_edit(request: Any, pk: int, person: int) -> Any:
    """Gives a person the role of admin, operator or viewer."""
    row = get_object_or_404(_people(request, pk), pk=person)
    people.change_role(row, by=request.actor, role=request.body_data.get("role", row.role))
    return get_object_or_404(_people(request, pk), pk=person)


@endpoint("Remove a person", may=MAY)
def person_remove(request: Any, pk: int, person: int) -> None:
    """Removes a person from the customer. From their next request on, they have no access to it."""
    people.remove(get_object_or_404(_people(request, pk), pk=person), by=request.actor)


def _people(request: Any, pk: int) -> QuerySet[CustomerUser]:
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    return (
        CustomerUser.objects.visible_to(request.actor)
        .filter(customer=customer, removed_at=None)
        .select_related("user", "customer__organization")
    )
