"""Finds customers for the search of everything."""

from django.db.models import Q
from django.utils.translation import gettext as _

from console.access import Actor
from console.fields import fold, prefix
from console.search import Hit
from customers.models import Customer


def find(actor: Actor, text: str, limit: int) -> list[Hit]:
    """Customers by name, reference or e-mail, exactly or by their beginning. Exact ones rank first."""
    rows, key, (low, high) = Customer.objects.visible_to(actor).current(), fold(text), prefix(text)
    exact = Q(name_key=key) | Q(reference_key=key) | Q(email=key)
    begins = (
        Q(name_key__gte=low, name_key__lt=high)
        | Q(reference_key__gte=low, reference_key__lt=high)
        | Q(email__gte=low, email__lt=high)
    )
    found = list(rows.filter(exact).order_by("name_key")[:limit]) if key else []
    known = {customer.pk for customer in found}
    more = rows.filter(begins).exclude(pk__in=known).order_by("name_key")[:limit] if key else []
    return [_hit(customer, 0) for customer in found] + [_hit(customer, 1) for customer in more]


def _hit(customer: Customer, rank: int) -> Hit:
    detail = " · ".join(filter(None, [str(customer.get_kind_display()), customer.reference, customer.email]))
    return Hit(kind=_("Customer"), icon="building-2", title=customer.name, detail=detail,
               url=customer.get_absolute_url(), rank=rank)  # fmt: skip
