"""The API keys that a customer's admin sees in the portal."""

from django.db.models import Exists, OuterRef, QuerySet

from console.access import Actor, CustomerScope
from customers.models import ApiKey, CustomerUser
from customers.people.roles import administered


def rows(actor: Actor) -> QuerySet[ApiKey]:
    """Return the API keys of the customers that the person administers."""
    # unscoped: only checks whether the creator is one of the customer's own users
    people = CustomerUser.objects.filter(customer=OuterRef("customer"), user=OuterRef("made_by"))
    keys = ApiKey.objects.visible_to(actor).filter(customer__in=administered(actor).order_by().values("pk"))
    return keys.annotate(is_of_customer=Exists(people)).select_related("customer", "made_by", "organization")


def describe(keys: list[ApiKey]) -> None:
    """Set what a row shows of each key: `may`, its scopes in words, and `maker`.

    For keys that staff created, `maker` is the organization's brand name.
    """
    for key in keys:
        key.may = [scope.label for scope in CustomerScope if scope in key.scopes]  # type: ignore[attr-defined]
        key.maker = str(key.made_by) if key.is_of_customer else key.organization.brand  # type: ignore[attr-defined]
