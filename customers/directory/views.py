"""Pages of customers."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from console.access import Permission
from console.editing import Edit
from console.errors import Refused
from console.export import stream
from console.forms import attempt, page, press
from console.listing import render_list
from console.policies import requires
from console.requests import Request
from customers.directory import actions as customers
from customers.directory.exports import customer_table
from customers.directory.filters import CustomerFilter
from customers.directory.forms import CustomerForm
from customers.directory.lookup import named
from customers.directory.pages import device_count_of, with_counts
from customers.directory.tables import CustomerTable
from customers.models import Customer, CustomerUser, Project
from customers.projects.pages import with_members

# How many customers the field suggests.
SUGGESTIONS = 12


@requires(Permission.VIEW)
def customer_list(request: Request) -> HttpResponse:
    """Show all customers, including those without devices."""
    rows = Customer.objects.visible_to(request.actor).listed()
    return render_list(
        request,
        rows=rows,
        table=CustomerTable,
        filters=CustomerFilter,
        decorate=with_counts,
        template="customers/directory/customer_list.html",
    )


@requires(Permission.EXPORT)
def customer_export(request: Request) -> StreamingHttpResponse:
    """Return the filtered list as a streamed CSV or XLSX file."""
    return stream(request, *customer_table(request))


@requires(Permission.CUSTOMER_EDIT)
def customer_create(request: Request) -> HttpResponse:
    """Create a customer."""
    form = CustomerForm(request.POST or None, actor=request.actor)
    made = attempt(form, lambda: customers.create(by=request.actor, **form.cleaned_data), field="reference")
    return redirect(made) if made else page(request, "customers/directory/customer_create.html", form)


@requires(Permission.VIEW)
def customer_detail(request: Request, pk: int) -> HttpResponse:
    """Show one customer: current and former devices, people, projects and history."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    people = CustomerUser.objects.visible_to(request.actor).filter(customer=customer, removed_at=None)
    projects = Project.objects.visible_to(request.actor).filter(customer=customer)
    context = {
        "customer": customer,
        "people": people.select_related("user").order_by("pk"),
        "projects": with_members(request, list(projects.order_by("-is_default", "name", "pk"))),
    }
    return render(request, "customers/directory/customer_detail.html", context)


@requires(Permission.CUSTOMER_EDIT)
def customer_edit(request: Request, pk: int) -> HttpResponse:
    """Edit a customer."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    edit = Edit(
        request,
        customer,
        lambda data, row: CustomerForm(data, instance=row, actor=request.actor),
        lambda row, values: customers.edit(row, by=request.actor, **values),
        refused_at="reference",
    )
    return (
        redirect(customer) if edit.is_done else edit.page("customers/directory/customer_edit.html", customer=customer)
    )


@requires(Permission.CUSTOMER_EDIT)
def customer_archive(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation, then archive. While the customer owns devices, say so and show them."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    if request.method == "POST":
        try:
            customers.archive(customer, by=request.actor)
        except Refused as refusal:
            context = {"customer": customer, "refused": refusal.sentence}
            return render(request, "customers/directory/customer_archive.html", context, status=409)
        messages.success(request, _("%(customer)s is archived.") % {"customer": customer})
        return redirect(customer)
    count = device_count_of(request, customer)
    context = {"customer": customer, "refused": customers.owns_devices(customer, count) if count else ""}
    return render(request, "customers/directory/customer_archive.html", context)


@requires(Permission.CUSTOMER_EDIT)
def customer_restore(request: Request, pk: int) -> HttpResponse:
    """Restore an archived customer."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    sentence = _("%(customer)s is restored. Its people can use the portal again.") % {"customer": customer}
    return press(request, customer, customers.restore, sentence)


@requires(Permission.VIEW)
def customer_options(request: Request) -> HttpResponse:
    """Return the first customers whose names contain words beginning with the typed text."""
    typed = request.GET.get(request.GET.get("field", ""), "")[:200]
    rows = Customer.objects.visible_to(request.actor).current().filter(named(typed))
    return render(
        request, "customers/directory/_customer_options.html", {"customers": rows.order_by("name_key")[:SUGGESTIONS]}
    )
