"""Projects of customers over REST."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from console.access import CustomerScope, Permission
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Id, Text
from console.rest.forms import checked
from console.rest.paging import page
from console.rest.problems import Unfit
from customers.models import Customer, Project
from customers.projects.actions import projects
from customers.projects.api_shapes import ProjectOut, ProjectQuery
from customers.projects.forms import ProjectForm

TAG = "projects"

P, C = Permission, CustomerScope


class ProjectEdit(Body):
    """What you can change about a project."""

    name = Text(max_length=120)


class ProjectIn(ProjectEdit):
    """A new project of a customer."""

    customer = Id()


@endpoint("List projects", may=P.VIEW, customer=C.READ, answers=ProjectOut, query=ProjectQuery, is_list=True)
def project_list(request: Any) -> Any:
    """Returns the projects that your key may see. A customer's key sees its own."""
    rows = _rows(request)
    if request.query.get("customer"):
        rows = rows.filter(customer=request.query["customer"])
    return page(request.query, rows, ProjectOut)


@endpoint(
    "Create a project",
    may=P.CUSTOMER_EDIT,
    takes=ProjectIn,
    answers=ProjectOut,
    status=201,
    example={"customer": 1, "name": "North site"},
)
def project_create(request: Any) -> Any:
    """Creates a project in addition to the customer's default project.

    No two projects of a customer may have the same name.
    """
    form = checked(ProjectForm, {"name": request.body_data["name"]})
    customer = Customer.objects.visible_to(request.actor).filter(pk=request.body_data["customer"]).first()
    if customer is None:
        raise Unfit({"customer": ["There is no such customer."]})
    return projects.make(customer, by=request.actor, **form.cleaned_data)


@endpoint("See a project", may=P.VIEW, customer=C.READ, answers=ProjectOut)
def project_detail(request: Any, pk: int) -> Any:
    """Returns one project that your key may see."""
    return get_object_or_404(_rows(request), pk=pk)


@endpoint("Rename a project", may=P.CUSTOMER_EDIT, customer=C.ACCESS, takes=ProjectEdit, answers=ProjectOut)
def project_edit(request: Any, pk: int) -> Any:
    """Renames the project. No two projects of a customer may have the same name."""
    project = get_object_or_404(_rows(request), pk=pk)
    if not request.body_data:
        return project
    form = checked(ProjectForm, request.body_data)
    return projects.rename(project, by=request.actor, **form.cleaned_data)


def _rows(request: Any) -> QuerySet[Project]:
    return Project.objects.visible_to(request.actor).select_related("customer")
