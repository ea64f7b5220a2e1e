"""Pages of a customer's projects."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from console.access import Permission
from console.editing import Edit
from console.forms import attempt, page
from console.policies import requires
from console.requests import Request
from customers.models import Customer, Project, ProjectMember
from customers.projects import pages
from customers.projects.actions import members as project_members
from customers.projects.actions import projects
from customers.projects.forms import EndForm, ProjectForm


@requires(Permission.CUSTOMER_EDIT)
def project_create(request: Request, pk: int) -> HttpResponse:
    """Create another project for the customer."""
    customer = get_object_or_404(Customer.objects.visible_to(request.actor), pk=pk)
    form = ProjectForm(request.POST or None)
    project = attempt(form, lambda: projects.make(customer, by=request.actor, **form.cleaned_data), field="name")
    if project is None:
        return page(request, "customers/projects/project_create.html", form, customer=customer)
    messages.success(request, _("Project %(project)s created.") % {"project": project})
    return redirect(customer)


@requires(Permission.CUSTOMER_EDIT)
def project_edit(request: Request, pk: int, project_pk: int) -> HttpResponse:
    """Rename a project."""
    project = _project(request, pk, project_pk)
    edit = Edit(
        request,
        project,
        lambda data, row: ProjectForm(data, initial={"name": row.name}),
        lambda row, values: projects.rename(row, by=request.actor, **values),
        refused_at="name",
    )
    if not edit.is_done:
        return edit.page("customers/projects/project_edit.html", project=project, customer=project.customer)
    messages.success(request, _("Project renamed to %(project)s.") % {"project": edit.row})
    return redirect(project.customer)


@requires(Permission.VIEW)
def project_detail(request: Request, pk: int, project_pk: int) -> HttpResponse:
    """Show a project and who sees it, now or before, without being a person of the customer."""
    project = _project(request, pk, project_pk)
    context = {"project": project, "customer": project.customer, **pages.members_of(request, project)}
    return render(request, "customers/projects/project_detail.html", context)


@requires(Permission.CUSTOMER_INVITE)
def project_member_end(request: Request, pk: int, project_pk: int, member_pk: int) -> HttpResponse:
    """Ask for confirmation, then end a person's access to the project."""
    project = _project(request, pk, project_pk)
    rows = ProjectMember.objects.visible_to(request.actor).select_related("user")
    member = get_object_or_404(rows, project=project, pk=member_pk)
    form = EndForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"member": member, "project": project, "customer": project.customer}
        return page(request, "customers/projects/project_member_end.html", form, **context)
    project_members.end_one(member, by=request.actor, note=form.cleaned_data["reason"])
    messages.success(request, _("%(person)s no longer sees this project.") % {"person": member})
    return redirect("customers:project_detail", pk, project_pk)


def _project(request: Request, customer_id: int, project_id: int) -> Project:
    rows = Project.objects.visible_to(request.actor).select_related("customer")
    return get_object_or_404(rows, customer=customer_id, pk=project_id)
