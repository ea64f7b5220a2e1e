"""Finds customers for the search across all objects."""

from django.utils.translation import gettext as _

from console import addresses
from console.access import Actor
from console.fields import fold
from console.search import Hit, listed
from customers.directory import lookup
from customers.models import Customer, CustomerUser


def find(actor: Actor, text: str, limit: int) -> list[Hit]:
    """Return customers by name, reference or email, or by the email address of one of their people.

    Exact matches come first.
    """
    if not fold(text):
        return []
    rows = Customer.objects.visible_to(actor)
    ids = [rows.filter(condition).order_by().values("pk") for condition in lookup.exactly(text)]
    exact = list(rows.filter(pk__in=ids[0].union(*ids[1:])).order_by("archived_at", "name_key", "pk")[:limit])
    others: dict[int, Customer] = {}
    for condition, key in zip(lookup.beginning_with(text), lookup.KEYS, strict=True):
        others |= {c.pk: c for c in rows.current().filter(condition).order_by(key, "pk")[:limit]}
    begins = [customer for pk, customer in others.items() if pk not in {c.pk for c in exact}]
    more = listed("customers:customer_list", text)
    return [_hit(c, 0, more) for c in exact] + [_hit(c, 1, more) for c in begins[:limit]] + _people(actor, text, limit)


def _people(actor: Actor, text: str, limit: int) -> list[Hit]:
    """Return a hit for each customer of the person with this email address."""
    if "@" not in text:
        return []
    rows = CustomerUser.objects.visible_to(actor).filter(user__email=addresses.normal(text), removed_at=None)
    found = rows.select_related("customer", "user").order_by("-pk")[:limit]
    return [
        Hit(
            kind=_("Person"),
            icon="user",
            title=str(person.user),
            detail=f"{person.customer} · {person.get_role_display()}",
            url=person.customer.get_absolute_url(),
            rank=0,
        )
        for person in found
    ]


def _hit(customer: Customer, rank: int, more: str) -> Hit:
    archived = _("archived") if customer.archived_at else ""
    detail = " · ".join(filter(None, [str(customer.get_kind_display()), customer.reference, customer.email, archived]))
    return Hit(
        kind=_("Customer"),
        icon="building-2",
        title=customer.name,
        detail=detail,
        url=customer.get_absolute_url(),
        rank=rank,
        more=more,
    )
