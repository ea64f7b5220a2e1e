"""Projects of customers."""

from django.db import transaction
from django.utils.translation import gettext as _

from console import edits
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.fields import fold
from console.transactions import retrying
from customers import events
from customers.models import Customer, Project


@transaction.atomic
def make_default(customer: Customer) -> Project:
    """Make the project that a customer's devices lie in unless another is named."""
    return Project.objects.create(
        organization_id=customer.organization_id, customer=customer, name=customer.name, is_default=True
    )


def default_of(customer: Customer) -> Project:
    """The customer's default project."""
    return Project.objects.get(customer=customer, is_default=True)


@retrying
def make(customer: Customer, *, name: str, by: Actor) -> Project:
    """Make another project for the customer.

    Raises Refused where the customer is archived, or has a project of this name.
    """
    name = _normal(name)
    _keep_names_apart(customer, name)
    project = Project.objects.create(organization_id=customer.organization_id, customer=customer, name=name)
    record(events.PROJECT_CREATED, project, by=by, about=customer)
    return project


@retrying
def rename(project: Project, *, name: str, by: Actor) -> Project:
    """Give a project another name. Nothing is written or told where that changes nothing.

    Raises Refused where the customer is archived, or has another project of this name.
    """
    if _normal(name) != edits.hold(project).name:
        _keep_names_apart(project.customer, _normal(name), but=project.pk)
    if changed := edits.write(project, {"name": _normal(name)}):
        record(events.PROJECT_EDITED, project, by=by, about=project.customer, **changed)
    return project


def _normal(name: str) -> str:
    return " ".join(name.split())


def _keep_names_apart(customer: Customer, name: str, *, but: int | None = None) -> None:
    """Two who name projects of one customer at once wait for one another here; the second sees what the first made."""
    held = Customer.objects.select_for_update(no_key=True).filter(pk=customer.pk, archived_at=None)
    if not held.values_list("pk"):
        raise Refused("archived", _("%(customer)s is archived. Restore it first.") % {"customer": customer})
    others = Project.objects.filter(customer=customer).exclude(pk=but).values_list("name", flat=True)  # type: ignore[misc]  # None is the key of no row
    if fold(name) in {fold(other) for other in others}:
        raise Refused("duplicate", _("This customer has a project of this name. Choose another name."), status=422)
