"""What a customer's person holds now and held before: read by the portal and the claim pages.

All of it starts at `visible_to` or `reached_by`: a device that went to somebody else is not there any more,
and of its history nothing but one's own spans.
"""

from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from claims import offers
from claims.models import Claim
from claims.offers import Offer
from console.access import Actor
from console.fields import fold
from console.models import Organization
from customers.models import Project
from devices.models import Device, Ownership, SharedAccess


def projects(actor: Actor) -> QuerySet[Project]:
    """The person's projects by name, each with how many devices lie in it, in one query."""
    return (
        Project.objects.visible_to(actor)
        .select_related("organization__logo")
        .defer("organization__logo__png")
        .annotate(owned=_count(Ownership), shared=_count(SharedAccess))
        .order_by("name", "pk")
    )


def devices(actor: Actor, *, project: Project | None = None, q: str = "") -> QuerySet[Device]:
    """What the person owns or shares now, in one project or in all. `q` is part of serial or product."""
    owned, shared = _open_spans(actor)
    if project is not None:
        owned, shared = owned.filter(project=project), shared.filter(project=project)
    rows = Device.objects.filter(pk__in=owned.values("device").union(shared.values("device")))
    if q:
        rows = rows.filter(Q(serial_key__contains=fold(q)) | Q(product__name_key__contains=fold(q)))
    return rows.select_related("product")


def add_spans(actor: Actor, rows: list[Device]) -> None:
    """Give each device its current span as `held`: since when, in which project, whether only shared."""
    columns = ("device", "started_at", "project", "project__name")
    owned, shared = (spans.filter(device__in=rows) for spans in _open_spans(actor))
    found = owned.values_list(*columns, Value(0)).union(shared.values_list(*columns, Value(1)), all=True)
    held: dict[int, dict] = {}
    # An owner may also share his own device with another of his projects: what he owns comes first.
    for device, since, project, name, is_shared in sorted(found, key=lambda row: (row[4], row[1])):
        held.setdefault(
            device, {"since": since, "project": project, "name": name, "is_shared": bool(is_shared)}
        )
    for row in rows:
        row.held = held.get(row.pk)  # type: ignore[attr-defined]


def spans_of(actor: Actor, device: Device) -> list[Any]:
    """The person's own spans of a device, the newest first; none of anybody else."""
    owned, shared = (
        model.objects.reached_by(actor).filter(device=device).select_related("project")
        for model in (Ownership, SharedAccess)
    )
    spans = sorted([*owned, *shared], key=lambda span: span.started_at, reverse=True)
    for span in spans:
        span.is_shared = isinstance(span, SharedAccess)  # type: ignore[attr-defined]
    return spans


def past_spans(actor: Actor) -> QuerySet[Ownership]:
    """When the person's customers owned devices that they do not own any more."""
    ended = Ownership.objects.reached_by(actor).exclude(ended_at=None)
    return ended.select_related("device__product")


def documents(actor: Actor, spans: list[Any]) -> list[dict]:
    """What was given with the device, by the claims that its current spans rest on."""
    evidence = [span.start_evidence for span in spans if span.ended_at is None]
    ids = [int(text.removeprefix("claim:")) for text in evidence if text.startswith("claim:")]
    claims = Claim.objects.visible_to(actor).filter(pk__in=ids)
    return [thing for claim in claims for thing in claim.given if thing["kind"] == "document"]


def past_claim(actor: Actor, offer: Offer | None) -> Claim | None:
    """The person's claim of this very code, if all that it gave is still his."""
    if offer is None:
        return None
    claims = Claim.objects.visible_to(actor).filter(profile=offer.profile)
    if offer.code.device_id is not None:
        claims = claims.filter(code=offer.code, code_version=offer.code.version)
    claim = claims.first()
    return claim if claim is not None and all(thing["is_held"] for thing in given(actor, claim)) else None


def given(actor: Actor, claim: Claim) -> list[dict]:
    """What a claim gave, each device with whether the person still holds it."""
    ids = [thing["id"] for thing in claim.given if thing["kind"] == "device"]
    held = (
        set(Device.objects.visible_to(actor).filter(pk__in=ids).values_list("pk", flat=True))
        if ids
        else set()
    )
    return [{**thing, "is_held": thing["kind"] != "device" or thing["id"] in held} for thing in claim.given]


def organization_of(actor: Actor) -> Organization | None:
    """The one organization that the person is a customer of; None for several or none."""
    found = Organization.objects.filter(
        pk__in=Project.objects.visible_to(actor).values("organization")
    ).select_related("logo").defer("logo__png")[:2]  # fmt: skip
    return found[0] if len(found) == 1 else None


def organization_at(host: str) -> Organization | None:
    """Whose pages these are for somebody unknown: by the claim domain, else the only organization."""
    named = Organization.objects.filter(domains__host=offers.bare(host)).first()
    if named is not None:
        return named
    found = Organization.objects.order_by("pk")[:2]
    return found[0] if len(found) == 1 else None


def _open_spans(actor: Actor) -> tuple[QuerySet[Ownership], QuerySet[SharedAccess]]:
    return Ownership.objects.open().reached_by(actor), SharedAccess.objects.open().reached_by(actor)


def _count(model: Any) -> Coalesce:
    spans = model.objects.open().filter(project=OuterRef("pk")).order_by().values("project")
    return Coalesce(Subquery(spans.annotate(n=Count("pk")).values("n")), 0)
