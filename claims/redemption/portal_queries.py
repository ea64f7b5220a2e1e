"""What a customer's user holds now and held before, for the portal and the claim pages.

All queries start at `visible_to` or `reached_by`: a device that went to another owner is no longer there, and of its
history only the user's own spans are.
"""

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value

from claims.models import Claim
from claims.redemption import offers
from claims.redemption.offers import Offer
from console.access import Actor
from console.fields import fold
from console.models import Organization
from customers.models import Project
from devices.models import Device, Ownership, SharedAccess

MOST_PROJECTS = 100


def projects(actor: Actor) -> QuerySet[Project]:
    """Return the user's projects by name, with the data that `devices` needs."""
    return (
        Project.objects.visible_to(actor)
        .select_related("organization__logo")
        .defer("organization__logo__png")
        .annotate(
            # unscoped: checks whether any device lies in a visible project
            has_shares=Exists(SharedAccess.objects.open().filter(project=OuterRef("pk"))),
            # unscoped: checks whether the customer has other projects
            has_siblings=Exists(Project.objects.filter(customer=OuterRef("customer")).exclude(pk=OuterRef("pk"))),
        )
        .order_by("name", "pk")
    )


def add_counts(projects: list[Project]) -> None:
    """Set `device_count`, the number of devices, on each project."""
    totals: dict[int, int] = {}
    owned, shared = (
        # unscoped: counts devices in visible projects
        spans.objects.open().filter(project__in=projects).values_list("project").annotate(Count("pk")).order_by()
        for spans in (Ownership, SharedAccess)
    )
    for project, count in owned.union(shared, all=True):
        totals[project] = totals.get(project, 0) + count
    for each in projects:
        each.device_count = totals.get(each.pk, 0)  # type: ignore[attr-defined]


def devices(actor: Actor, within: list[Project], *, is_all: bool, q: str = "") -> QuerySet[Device]:
    """Return what the user owns or shares now in these projects, or in all. `q` is part of serial number or product.

    If nothing is shared, the owner in the device's own row is enough, and an index returns the rows in order.
    """
    customers = {each.customer_id for each in within}
    if customers <= actor.customers and _is_plain(actor, within, is_all):
        organizations = {each.organization_id for each in within}
        # unscoped: the customers are the user's own
        rows = Device.objects.current().filter(organization__in=organizations, customer__in=customers)
    else:
        owned, shared = _open_spans(actor)
        if not is_all:
            owned, shared = owned.filter(project__in=within), shared.filter(project__in=within)
        # unscoped: the spans are those that the user may see
        rows = Device.objects.filter(pk__in=owned.values("device").union(shared.values("device")))
    if q:
        rows = rows.filter(Q(serial_key__contains=fold(q)) | Q(product__name_key__contains=fold(q)))
    return rows.select_related("product")


def add_spans(actor: Actor, rows: list[Device]) -> None:
    """Set each device's current span as `held`: since when, in which project, and whether it is only shared."""
    columns = ("device", "started_at", "project", "project__name")
    owned, shared = (spans.filter(device__in=rows) for spans in _open_spans(actor))
    found = owned.values_list(*columns, Value(0)).union(shared.values_list(*columns, Value(1)), all=True)
    held: dict[int, dict[str, Any]] = {}
    # Owners may also share a device with another of their projects. Ownership takes precedence.
    for device, since, project, name, is_shared in sorted(found, key=lambda row: (row[4], row[1])):
        held.setdefault(device, {"since": since, "project": project, "name": name, "is_shared": bool(is_shared)})
    for row in rows:
        row.held = held.get(row.pk)  # type: ignore[attr-defined]


def spans_of(actor: Actor, device: Device) -> list[Any]:
    """Return the user's own spans of a device, the newest first, and those of nobody else."""
    owned, shared = (
        model.objects.reached_by(actor).filter(device=device).select_related("project")
        for model in (Ownership, SharedAccess)
    )
    spans = sorted([*owned, *shared], key=lambda span: span.started_at, reverse=True)
    for span in spans:
        span.is_shared = isinstance(span, SharedAccess)
    return spans


def past_spans(actor: Actor) -> QuerySet[Ownership]:
    """Return the past ownerships of devices that the user's customers no longer own."""
    ended = Ownership.objects.reached_by(actor).exclude(ended_at=None)
    return ended.select_related("device__product")


def documents(actor: Actor, spans: list[Any]) -> list[dict[str, Any]]:
    """Return the documents given with the device, by the claims on which its current spans are based."""
    evidence = [span.start_evidence for span in spans if span.ended_at is None]
    ids = [int(text.removeprefix("claim:")) for text in evidence if text.startswith("claim:")]
    claims = Claim.objects.visible_to(actor).filter(pk__in=ids)
    return [thing for claim in claims for thing in claim.given if thing["kind"] == "document"]


def past_claim(actor: Actor, offer: Offer | None) -> Claim | None:
    """Return the user's claim of this code if they still have all that it gave, else None."""
    if offer is None:
        return None
    claims = Claim.objects.visible_to(actor).filter(profile=offer.profile)
    if offer.code.device_id is not None:
        claims = claims.filter(code=offer.code, code_version=offer.code.version)
    claim = claims.first()
    return claim if claim is not None and all(thing["is_held"] for thing in given(actor, claim)) else None


def given(actor: Actor, claim: Claim) -> list[dict[str, Any]]:
    """Return what a claim gave, and for each device whether the user still holds it."""
    ids = [thing["id"] for thing in claim.given if thing["kind"] == "device"]
    held = set(Device.objects.visible_to(actor).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    return [{**thing, "is_held": thing["kind"] != "device" or thing["id"] in held} for thing in claim.given]


def organization_of(actor: Actor) -> Organization | None:
    """Return the one organization that the user is a customer of; None if there are several or none."""
    found = (
        # unscoped: the organizations of visible projects
        Organization.objects.filter(pk__in=Project.objects.visible_to(actor).values("organization"))
        .select_related("logo")
        .defer("logo__png")[:2]
    )
    return found[0] if len(found) == 1 else None


def organization_at(host: str) -> Organization | None:
    """Return the organization shown to unknown visitors: that of the claim domain, else the only one."""
    # unscoped: the organization of a domain is public
    named = Organization.objects.filter(domains__host=offers.bare(host)).first()
    if named is not None:
        return named
    found = Organization.objects.order_by("pk")[:2]  # unscoped: whether there is only one organization is public
    return found[0] if len(found) == 1 else None


def _is_plain(actor: Actor, within: list[Any], is_all: bool) -> bool:
    """Whether these projects hold everything that their customers own, and nothing else."""
    if len(within) > MOST_PROJECTS or any(project.has_shares for project in within):
        return False
    return not actor.projects if is_all else not any(project.has_siblings for project in within)


def _open_spans(actor: Actor) -> tuple[QuerySet[Ownership], QuerySet[SharedAccess]]:
    return Ownership.objects.reached_by(actor).open(), SharedAccess.objects.reached_by(actor).open()
