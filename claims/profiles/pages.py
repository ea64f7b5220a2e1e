"""Data that the pages of claim profiles show besides the profile's own columns."""

from collections.abc import Callable
from typing import Any

from django.db.models import Count, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from claims.models import Claim, ClaimCode, ClaimProfile, Grant, ResourceKind, Scope, Shipment
from claims.paper import qr
from claims.profiles import causes, charts, printed
from claims.profiles.actions.codes import run_make
from console import counts
from console.access import Permission
from console.bulk import Selection
from console.downloads import File
from console.errors import Refused
from console.models import Operation
from console.models.operation import OperationState
from console.numbers import id_of
from console.requests import Request
from customers.models import CustomerKind
from devices.models import Device, Product

NEWEST = 20
SHOWN = 50


def requested(request: Request) -> dict[str, Any]:
    """Return the initial values that a link to the form of a new profile preselects."""
    chosen: dict[str, Any] = {"scope": request.GET.get("scope", Scope.LINK)}
    product = id_of(request.GET.get("product"))
    if product is not None:
        named = Product.objects.visible_to(request.actor).filter(pk=product).first()
        chosen |= {"scope": Scope.UNIT, "product": str(product), "name": named.name if named else ""}
    return chosen


def detail(request: Request, profile: ClaimProfile) -> dict[str, Any]:
    """Return everything that the page of a profile shows."""
    actor = request.actor
    claims = Claim.objects.visible_to(actor).filter(profile=profile)
    newest = list(claims.select_related("customer", "user").order_by("-pk")[: NEWEST + 1])
    resources = list(profile.resources.select_related("device__product", "device__customer"))
    funnel = profile.steps.funnel(since=charts.beginning())
    context: dict[str, Any] = {
        "profile": profile,
        "shipment": Shipment.objects.visible_to(actor).filter(profile=profile).select_related("customer").first(),
        "devices": [r.device for r in resources if r.kind == ResourceKind.DEVICE],
        "documents": [r for r in resources if r.kind == ResourceKind.DOCUMENT],
        # unscoped: limited to a visible profile
        "members": profile.members.filter(member__removed_at=None).select_related("member__user").order_by("pk"),
        "chart": charts.by_day(claims),
        "funnel": funnel,
        "refusals": [(causes.sentence(cause), number) for cause, number in funnel.refusals],
        "claims": newest[:NEWEST],
        "has_more": len(newest) > NEWEST,
    }
    with_answers(profile)(request, context["claims"])
    return context | (_units(actor, profile) if profile.scope == Scope.UNIT else code_of(actor, profile))


def code_of(actor: Any, profile: ClaimProfile) -> dict[str, Any]:
    """Return the profile's single code, or nothing for actors who may not view codes.

    The label is None if the server key that created the code is no longer configured.
    """
    if not actor.may(Permission.CODE_VIEW):
        return {}
    code = profile.codes.filter(device=None).first()  # unscoped: limited to a visible profile
    if code is None:
        return {}
    code.profile = profile
    label = printed.label(code)
    return {"code": code, "label": label, "drawing": label.draw() if label else None}


def _units(actor: Any, profile: ClaimProfile) -> dict[str, Any]:
    """Return how many devices have a code, how many codes were claimed, and the operation that is creating more."""
    making = Operation.objects.visible_to(actor).filter(
        handler=run_make.name,
        payload__profile=profile.pk,
        state__in=[OperationState.WAITING, OperationState.RUNNING],
    )
    return {
        "unit_count": counts.of(profile.codes.all()),  # unscoped: limited to a visible profile
        "claimed_count": counts.of(Claim.objects.visible_to(actor).of_current_codes().filter(profile=profile)),
        # A profile that grants access cannot give devices that customers own.
        "away_count": counts.of(_away(profile)) if profile.grant == Grant.ACCESS else 0,
        "making": making.order_by("-pk").first(),
    }


def _away(profile: ClaimProfile) -> QuerySet[ClaimCode]:
    codes = profile.codes.filter(device__customer__isnull=False)  # unscoped: limited to a visible profile
    return codes.exclude(device__customer__kind=CustomerKind.INTERNAL)


def with_codes(profile: ClaimProfile) -> Callable[[Request, list[Any]], None]:
    """Return a function that sets `claim_code`, `label` (for actors who may view codes) and `claim` on each device."""

    def decorate(request: Request, devices: list[Device]) -> None:
        actor = request.actor
        ids = [device.pk for device in devices]
        # unscoped: limited to a visible profile
        codes = {code.device_id: code for code in profile.codes.filter(device__in=ids)}
        claims = (
            Claim.objects.visible_to(actor).of_current_codes().filter(code__in=[code.pk for code in codes.values()])
        )
        claimed = {claim.code_id: claim for claim in claims.select_related("customer").order_by("-pk")}
        # Device does not declare these attributes, because it knows nothing about claims. Only the row's template reads
        # them.
        for device in devices:
            code = codes[device.pk]
            code.profile = profile
            device.claim_code, device.claim = code, claimed.get(code.pk)  # type: ignore[attr-defined]
            device.label = printed.label(code) if actor.may(Permission.CODE_VIEW) else None  # type: ignore[attr-defined]

    return decorate


def with_answers(profile: ClaimProfile) -> Callable[[Request, list[Any]], None]:
    """Return a function that sets `replies` on each claim of a page: pairs of question and answer.

    Questions appear as the profile words them today; one that was removed appears by its name.
    """
    asked = {field["name"]: field["label"] for field in profile.form}

    def decorate(request: Request, claims: list[Claim]) -> None:
        for claim in claims:
            claim.replies = [(asked.get(name, name), text) for name, text in claim.answers.items() if text]

    return decorate


def chosen_code(request: Request, rows: QuerySet[ClaimCode]) -> ClaimCode:
    """Return the code of the profile that the query string names, or the newest. Raises Http404 if none exists."""
    wanted = request.GET.get("profile", "")
    if wanted:
        pk = id_of(wanted)
        if pk is None:
            raise Http404
        return get_object_or_404(rows, profile=pk)
    newest = rows.order_by("-profile_id").first()
    if newest is None:
        raise Http404
    return newest


def picture(code: ClaimCode, form: str) -> File:
    """Return the QR code of a claim code as an SVG or PNG file.

    Raises Http404 for any other format, and Refused (409) if the server key that created the code is no longer
    configured.
    """
    if form not in {"svg", "png"}:
        raise Http404
    label = printed.label(code)
    if label is None:
        raise Refused(
            "key_missing", _("The server key that created this code is no longer configured. Replace the code.")
        )
    name = f"{code.profile.slug}-{code.device}" if code.device_id else code.profile.slug
    return qr.as_file(label.draw(), name, form)


def units_preview(request: Request, chosen: Selection) -> dict[str, Any]:
    """Return the first of the selected devices, and how many of the selection already have a code of each profile."""
    total = counts.of(chosen.rows)
    codes = ClaimCode.objects.visible_to(request.actor).filter(profile__product=None, device__in=chosen.rows.order_by())
    having = codes.order_by().values_list("profile__name").annotate(number=Count("pk")).order_by("profile__name_key")
    rows = chosen.rows.select_related("product", "customer").order_by("serial_key", "pk")[:SHOWN]
    return {"total": total, "having": list(having), "rows": rows, "shown": SHOWN}
