"""The portal: what a customer user owns or shares now, and nothing that belongs to anybody else."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from claims.portal import access, calls
from claims.portal.tables import DeviceTable, PastTable
from claims.redemption import portal_queries
from console.access import Actor
from console.listing import paginate
from console.policies import portal
from console.requests import Request
from customers.models import Project
from devices import wiping
from devices.models import Device

MANY_DEVICES = 20


@portal
def home(request: Request) -> HttpResponse:
    """Show all projects, and all devices in them."""
    projects = list(portal_queries.projects(request.actor)[: portal_queries.MOST_PROJECTS + 1])
    organizations = {project.organization for project in projects}
    context = {
        "projects": projects[: portal_queries.MOST_PROJECTS],
        "is_several": len(projects) > 1,
        "has_more_projects": len(projects) > portal_queries.MOST_PROJECTS,
        "organization": organizations.pop() if len(organizations) == 1 else None,
    }
    if len(projects) > 1:
        portal_queries.add_counts(projects)
    return _device_list(request, "portal/home.html", context, projects, is_all=True)


@portal
def project_detail(request: Request, pk: int) -> HttpResponse:
    """Show one project and its devices."""
    project = get_object_or_404(portal_queries.projects(request.actor).select_related("customer"), pk=pk)
    context = {"project": project, "organization": project.organization, **access.of_project(request.actor, project)}
    return _device_list(request, "portal/project_detail.html", context, [project], is_all=False)


@portal
def device_detail(request: Request, pk: int) -> HttpResponse:
    """Show a device that is owned or shared now: since when, what came with it, and whom to ask."""
    devices = Device.objects.visible_to(request.actor).select_related("product", "organization__logo")
    device = get_object_or_404(devices.defer("organization__logo__png"), pk=pk)
    spans = portal_queries.spans_of(request.actor, device)
    context = {
        "device": device,
        "organization": device.organization,
        "spans": spans,
        "now": [span for span in spans if span.ended_at is None],
        "documents": portal_queries.documents(request.actor, spans),
        "holds_others_data": wiping.is_of_others(device, request.actor.customers),
        **calls.card(request.actor, device),
        **access.of_device(request.actor, device),
    }
    return render(request, "portal/device_detail.html", context)


@portal
def past_device_list(request: Request) -> HttpResponse:
    """List the devices owned before, from when to when; what has happened to them since is not shown."""
    page = paginate(request, portal_queries.past_spans(request.actor), PastTable)
    organization = portal_queries.organization_of(request.actor)
    return render(request, "portal/past_device_list.html", {"page": page, "organization": organization})


def _device_list(
    request: Request, template: str, context: dict[str, Any], within: list[Project], *, is_all: bool
) -> HttpResponse:
    actor: Actor = request.actor
    q = request.GET.get("q", "").strip()[:64]
    rows = portal_queries.devices(actor, within, is_all=is_all, q=q)
    page = paginate(request, rows, DeviceTable, is_counted=False)
    portal_queries.add_spans(actor, page.rows)
    has_search = bool(q or page.next or page.previous or len(page.rows) > MANY_DEVICES)
    return render(request, template, {**context, "page": page, "q": q, "has_search": has_search})
