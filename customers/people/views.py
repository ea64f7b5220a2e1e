"""Pages of the people of a customer."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from console import mailbox
from console.access import Permission
from console.editing import Edit
from console.forms import attempt, page, press
from console.people import allowances
from console.policies import requires
from console.requests import Request
from customers.models import Customer, CustomerUser
from customers.people.actions import people
from customers.people.forms import PersonForm, PersonRoleForm


@requires(Permission.CUSTOMER_INVITE)
def customer_invite(request: Request, pk: int) -> HttpResponse:
    """Invite a person by email."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    form = PersonForm(request.POST or None)
    person = attempt(form, lambda: _invite(request, customer, **form.cleaned_data), field="email")
    if person is None:
        return page(request, "customers/people/customer_invite.html", form, customer=customer)
    messages.success(request, mailbox.invited(person.user.email))
    return redirect(customer)


@requires(Permission.CUSTOMER_INVITE)
def customer_user_edit(request: Request, pk: int, user_pk: int) -> HttpResponse:
    """Change a person's role."""
    person = _person(request, pk, user_pk)
    edit = Edit(
        request,
        person,
        lambda data, row: PersonRoleForm(data, initial={"role": row.role}),
        lambda row, values: people.change_role(row, by=request.actor, **values),
        refused_at="role",
    )
    if not edit.is_done:
        return edit.page("customers/people/customer_user_edit.html", person=person, customer=person.customer)
    messages.success(request, _("%(person)s's role changed.") % {"person": person.user})
    return redirect(person.customer)


@requires(Permission.CUSTOMER_INVITE)
def customer_user_remove(request: Request, pk: int, user_pk: int) -> HttpResponse:
    """Ask for confirmation, then remove a person."""
    person = _person(request, pk, user_pk)
    if request.method != "POST":
        return render(
            request, "customers/people/customer_user_remove.html", {"person": person, "customer": person.customer}
        )
    sentence = _("%(person)s no longer has access.") % {"person": person.user}
    return press(request, person, people.remove, sentence, to=person.customer)


def _invite(request: Request, customer: Customer, *, email: str, **fields: Any) -> CustomerUser:
    allowances.invitation(request.actor.organization, email)
    return people.invite(customer, by=request.actor, email=email, **fields)


def _person(request: Request, customer_id: int, user_id: int) -> CustomerUser:
    rows = CustomerUser.objects.visible_to(request.actor).select_related("customer", "user")
    return get_object_or_404(rows, customer=customer_id, user=user_id, removed_at=None)
