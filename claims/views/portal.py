"""The portal: what a customer's person owns or shares now, and nothing of anybody else."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from claims import holdings
from claims.portal_tables import DeviceTable, PastTable
from console.access import Actor, portal
from console.listing import paginate
from customers.models import Project
from devices.models import Device

MANY_DEVICES = 20
MOST_PROJECTS = 100


@portal
def home(request: HttpRequest) -> HttpResponse:
    """All projects, and all devices that lie in them."""
    projects = list(holdings.projects(request.actor)[: MOST_PROJECTS + 1])
    organizations = {project.organization for project in projects}
    context = {
        "projects": projects[:MOST_PROJECTS], "has_more_projects": len(projects) > MOST_PROJECTS,
        "organization": organizations.pop() if len(organizations) == 1 else None,
        "device_count": sum(project.owned + project.shared for project in projects),
    }  # fmt: skip
    return _device_list(request, "portal/home.html", context)


@portal
def project_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One project and its devices."""
    project = get_object_or_404(holdings.projects(request.actor), pk=pk)
    context = {"project": project, "organization": project.organization}
    context["device_count"] = project.owned + project.shared
    return _device_list(request, "portal/project_detail.html", context, project)


@portal
def device_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A device that is owned or shared now: since when, what came with it, and whom to ask."""
    devices = Device.objects.visible_to(request.actor).select_related("product", "organization__logo")
    device = get_object_or_404(devices.defer("organization__logo__png"), pk=pk)
    spans = holdings.spans_of(request.actor, device)
    context = {
        "device": device, "organization": device.organization, "spans": spans,
        "now": [span for span in spans if span.ended_at is None],
        "documents": holdings.documents(request.actor, spans),
    }  # fmt: skip
    return render(request, "portal/device_detail.html", context)


@portal
def past_device_list(request: HttpRequest) -> HttpResponse:
    """What one owned before, from when to when; what became of it since is not told."""
    page = paginate(request, holdings.past_spans(request.actor), PastTable)
    organization = holdings.organization_of(request.actor)
    return render(request, "portal/past_device_list.html", {"page": page, "organization": organization})


def _device_list(
    request: HttpRequest, template: str, context: dict[str, Any], project: Project | None = None
) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    q = request.GET.get("q", "").strip()[:64]
    page = paginate(request, holdings.devices(actor, project=project, q=q), DeviceTable)
    holdings.add_spans(actor, page.rows)
    has_search = context["device_count"] > MANY_DEVICES or bool(q)
    return render(request, template, {**context, "page": page, "q": q, "has_search": has_search})
