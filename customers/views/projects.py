"""The projects of a customer."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from console.access import Permission, requires
from console.editing import Edit
from console.errors import Refused
from console.requests import Request
from customers.actions import projects
from customers.models import Customer, Project
from customers.project_forms import ProjectForm


@requires(Permission.CUSTOMER_EDIT)
def project_create(request: Request, pk: int) -> HttpResponse:
    """Make another project for the customer."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = projects.make(customer, by=request.actor, **form.cleaned_data)
        except Refused as refusal:
            form.add_error("name", refusal.sentence)
        else:
            messages.success(request, _("The project %(project)s is made.") % {"project": project})
            return redirect(customer)
    context = {"form": form, "customer": customer}
    return render(request, "customers/project_create.html", context, status=422 if form.errors else 200)


@requires(Permission.CUSTOMER_EDIT)
def project_edit(request: Request, pk: int, project_pk: int) -> HttpResponse:
    """Rename a project."""
    project = _project(request, pk, project_pk)
    edit = Edit(request, project, lambda data, row: ProjectForm(data, initial={"name": row.name}),
                lambda row, values: projects.rename(row, by=request.actor, **values), refused_at="name")  # fmt: skip
    if not edit.is_done:
        return edit.page("customers/project_edit.html", project=project, customer=project.customer)
    messages.success(request, _("The project is called %(project)s now.") % {"project": edit.row})
    return redirect(project.customer)


def _project(request: Request, customer_id: int, project_id: int) -> Project:
    rows = Project.objects.visible_to(request.actor).select_related("customer")
    return get_object_or_404(rows, customer=customer_id, pk=project_id)
