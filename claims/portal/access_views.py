"""What a customer's admins can do with their projects: rename them, and end the access of others."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from claims.portal import access
from claims.redemption import portal_queries
from console.editing import Edit
from console.forms import page
from console.policies import portal
from console.requests import Request
from customers.models import Project
from customers.people.roles import may_end_access
from customers.projects.actions import members as project_members
from customers.projects.actions import projects
from customers.projects.forms import EndForm, ProjectForm
from devices.actions import ownership
from devices.models import Device


@portal
def project_edit(request: Request, pk: int) -> HttpResponse:
    """Rename a project."""
    project = _administered(request, pk)
    edit = Edit(
        request,
        project,
        lambda data, row: ProjectForm(data, initial={"name": row.name}),
        lambda row, values: projects.rename(row, by=request.actor, **values),
        refused_at="name",
    )
    if edit.is_done:
        return redirect(project)
    return edit.page("portal/project_edit.html", project=project, organization=project.organization)


@portal
def project_member_end(request: Request, pk: int, member_pk: int) -> HttpResponse:
    """Ask for confirmation, then end an outside member's access to the project."""
    project = _administered(request, pk)
    member = get_object_or_404(access.members_of(request.actor, project), pk=member_pk)
    form = EndForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"member": member, "project": project, "organization": project.organization}
        return page(request, "portal/project_member_end.html", form, **context)
    project_members.end_one(member, by=request.actor, note=form.cleaned_data["reason"])
    messages.success(request, _("%(person)s no longer sees this project.") % {"person": member})
    return redirect(project)


@portal
def device_access_end(request: Request, pk: int, share_pk: int) -> HttpResponse:
    """Ask for confirmation, then end another customer's access to a device."""
    devices = Device.objects.visible_to(request.actor).select_related("product", "organization__logo")
    device = get_object_or_404(devices.defer("organization__logo__png"), pk=pk)
    share = get_object_or_404(access.shares_of(request.actor, device), pk=share_pk)
    if not access.may_end_of(request.actor, device):
        raise Http404
    form = EndForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"share": share, "device": device, "organization": device.organization}
        return page(request, "portal/device_access_end.html", form, **context)
    ownership.end_share(share, by=request.actor, reason=form.cleaned_data["reason"])
    messages.success(request, _("%(customer)s no longer sees this device.") % {"customer": share.customer})
    return redirect("portal:device_detail", device.pk)


def _administered(request: Request, pk: int) -> Project:
    """Return a project that the person administers. Raises Http404 for any other."""
    project = get_object_or_404(portal_queries.projects(request.actor).select_related("customer"), pk=pk)
    if not may_end_access(request.actor, project):
        raise Http404
    return project
