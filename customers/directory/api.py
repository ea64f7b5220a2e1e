"""Customers over REST."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from console.access import Permission
from console.editing import named
from console.fields import fold
from console.rest.endpoints import endpoint
from console.rest.exports import export, unpaged, written
from console.rest.forms import checked, filtered
from console.rest.paging import page
from customers.directory import actions as customers
from customers.directory import exports
from customers.directory.api_shapes import CustomerIn, CustomerOut, CustomerQuery
from customers.directory.filters import CustomerFilter
from customers.directory.forms import CustomerForm
from customers.models import Customer

TAG = "customers"


@endpoint("List customers", may=Permission.VIEW, answers=CustomerOut, query=CustomerQuery, is_list=True)
def customer_list(request: Any) -> Any:
    """Returns the customers of the organization, including those without devices."""
    return page(request.query, matching(request), CustomerOut)


def matching(request: Any) -> QuerySet[Customer]:
    """Return the customers that match the query of the call."""
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


@endpoint("Create a customer", may=Permission.CUSTOMER_EDIT, takes=CustomerIn, answers=CustomerOut, status=201)
def customer_create(request: Any) -> Any:
    """Creates a customer with its default project.

    Two customers may have the same name. The call is refused if another customer has the reference.
    """
    form = checked(CustomerForm, {**request.body_data, "same_name": "on"}, actor=request.actor)
    return customers.create(by=request.actor, **_fields(form))


@endpoint("See a customer", may=Permission.VIEW, answers=CustomerOut)
def customer_detail(request: Any, pk: int) -> Any:
    """Returns one customer of the organization."""
    return get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)


@endpoint("Edit a customer", may=Permission.CUSTOMER_EDIT, takes=CustomerIn, answers=CustomerOut)
def customer_edit(request: Any, pk: int) -> Any:
    """Changes the fields that you send and leaves all others as they are."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    form = checked(CustomerForm, {**request.body_data, "same_name": "on"}, instance=customer, actor=request.actor)
    return customers.edit(customer, by=request.actor, **named(form, request.body_data))


@endpoint("Archive a customer", may=Permission.CUSTOMER_EDIT, answers=CustomerOut)
def customer_archive(request: Any, pk: int) -> Any:
    """Removes the customer from lists and choices; its people lose access to the portal.

    Refused while the customer owns devices.
    """
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    customers.archive(customer, by=request.actor)
    customer.refresh_from_db()
    return customer


@endpoint("Restore a customer", may=Permission.CUSTOMER_EDIT, answers=CustomerOut)
def customer_restore(request: Any, pk: int) -> Any:
    """Restores an archived customer: it appears in lists and choices again, and its people regain the portal."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    customers.restore(customer, by=request.actor)
    customer.refresh_from_db()
    return customer


@export("Download customers", may=Permission.EXPORT, query=unpaged(CustomerQuery), tag=TAG)
def customer_export(request: Any, form: str) -> Any:
    """Returns all customers that match the query, newest first."""
    return written(form, request, "customers", exports.HEADER, exports.lines(matching(request)))


def _fields(form: Any) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in form.Meta.fields if name in form.cleaned_data}
