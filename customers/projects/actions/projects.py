"""Creation and renaming of customers' projects."""

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
    """Create the default project, which contains a customer's devices unless another project is named."""
    return Project.objects.create(
        organization_id=customer.organization_id, customer=customer, name=customer.name, is_default=True
    )


def default_of(customer: Customer) -> Project:
    """Return the customer's default project."""
    return Project.objects.get(customer=customer, is_default=True)


@retrying
def make(customer: Customer, *, name: str, by: Actor) -> Project:
    """Create another project for the customer.

    Raises Refused if the customer is archived, or (422) if it already has a project of this name.
    """
    name = _normal(name)
    _keep_names_apart(customer, name)
    project = Project.objects.create(organization_id=customer.organization_id, customer=customer, name=name)
    record(events.PROJECT_CREATED, project, by=by, about=customer)
    return project


@retrying
def rename(project: Project, *, name: str, by: Actor) -> Project:
    """Rename a project. Nothing is written or logged if the name stays the same.

    Raises Refused if the customer is archived, or (422) if it has another project of this name.
    """
    if _normal(name) != edits.hold(project).name:
        _keep_names_apart(project.customer, _normal(name), but=project.pk)
    if changed := edits.write(project, {"name": _normal(name)}):
        record(events.PROJECT_EDITED, project, by=by, about=project.customer, **changed)
    return project


def _normal(name: str) -> str:
    return " ".join(name.split())


def _keep_names_apart(customer: Customer, name: str, *, but: int | None = None) -> None:
    """Refuse a name that another project of the customer has.

    Locks the customer, so that simultaneous changes take turns and the second one sees the name that the first one
    chose.
    """
    held = Customer.objects.select_for_update(no_key=True).filter(pk=customer.pk, archived_at=None)
    if not held.values_list("pk"):
        raise Refused("archived", _("%(customer)s is archived. Restore it first.") % {"customer": customer})
    others = Project.objects.filter(customer=customer).exclude(pk=but).values_list("name", flat=True)  # type: ignore[misc]  # None is the key of no row
    if fold(name) in {fold(other) for other in others}:
        raise Refused(
            "duplicate", _("This customer already has a project with this name. Choose another name."), status=422
        )
