"""Customers."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from console.access import Permission
from console.editing import named
from console.fields import fold
from console.rest.endpoints import endpoint
from console.rest.forms import checked, filtered
from console.rest.paging import page
from customers.actions import customers
from customers.api.shapes import CustomerIn, CustomerOut, CustomerQuery
from customers.filters import CustomerFilter
from customers.forms import CustomerForm
from customers.models import Customer

TAG = "customers"


@endpoint("List customers", may=Permission.VIEW, answers=CustomerOut, query=CustomerQuery, is_list=True)
def customer_list(request: Any) -> Any:
    """Customers without devices are listed too."""
    return page(request.query, matching(request), CustomerOut)


def matching(request: Any) -> QuerySet[Customer]:
    """The customers for which the query asks."""
    query, owning = request.query, {True: "yes", False: "no"}
    rows = filtered(
        CustomerFilter,
        Customer.objects.visible_to(request.actor),
        request,
        q=query.get("q"),
        kind=query.get("kind"),
        archived=query["archived"],
        devices=owning.get(query.get("has_devices")),
    )
    if query.get("reference"):
        rows = rows.filter(reference_key=fold(query["reference"]))
    return rows


@endpoint("Make a customer", may=Permission.CUSTOMER_EDIT, takes=CustomerIn, answers=CustomerOut, status=201)
def customer_create(request: Any) -> Any:
    """With its default project. Two may have one name; a reference is refused where another has it."""
    form = checked(CustomerForm, {**request.body_data, "same_name": "on"}, actor=request.actor)
    return customers.create(by=request.actor, **_fields(form))


@endpoint("See a customer", may=Permission.VIEW, answers=CustomerOut)
def customer_detail(request: Any, pk: int) -> Any:
    """One customer."""
    return get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)


@endpoint("Edit a customer", may=Permission.CUSTOMER_EDIT, takes=CustomerIn, answers=CustomerOut)
def customer_edit(request: Any, pk: int) -> Any:
    """What is left out stays as it is."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    form = checked(CustomerForm, {**request.body_data, "same_name": "on"}, instance=customer, actor=request.actor)
    return customers.edit(customer, by=request.actor, **named(form, request.body_data))


@endpoint("Archive a customer", may=Permission.CUSTOMER_EDIT, answers=CustomerOut)
def customer_archive(request: Any, pk: int) -> Any:
    """It leaves lists and choices, and its people lose the portal. Refused while it owns devices."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    customers.archive(customer, by=request.actor)
    customer.refresh_from_db()
    return customer


@endpoint("Restore a customer", may=Permission.CUSTOMER_EDIT, answers=CustomerOut)
def customer_restore(request: Any, pk: int) -> Any:
    """It is back in lists and choices."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    customers.restore(customer, by=request.actor)
    customer.refresh_from_db()
    return customer


def _fields(form: Any) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in form.Meta.fields if name in form.cleaned_data}
