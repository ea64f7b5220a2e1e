"""Middleware around every request: headers, the actor, the time zone, and the answer to a refusal."""

import zoneinfo
from collections.abc import Callable
from functools import cache
from typing import Any, cast
from urllib.parse import unquote

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from console.access import ANONYMOUS, ROLES, Actor
from console.errors import Refused, answer, problem
from console.models import Member, Operation, User
from console.models.operation import OperationState
from console.requests import Request
from console.slots import One

GetResponse = Callable[[Request], HttpResponse]
# Returns the person as a customer, for the portal.
as_customer: One[[User], Actor] = One("console.middleware.as_customer")
ORGANIZATION_IN_SESSION = "organization"
# These addresses have no session, form, language or page.
STRAIGHT = ("/device/", "/healthz", "/readyz")
LARGEST_ID = 2**63 - 1
# No script, style or image from elsewhere, and none inline: data that reaches a page as text can't run.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def security_headers(get_response: GetResponse) -> GetResponse:
    """Refuse what no database can store, and set the headers that every page needs."""

    def middleware(request: Request) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path_info:
            if request.path_info.startswith("/api/"):
                return problem("malformed", "This address contains a NUL character.", 400)
            return HttpResponseBadRequest("This address contains a NUL character.", content_type="text/plain")
        response = get_response(request)
        if request.method == "HEAD" and response.streaming:
            # A HEAD request needs only the headers. The file is closed when the answer is closed.
            response.streaming_content = ()  # type: ignore[attr-defined]
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(self), publickey-credentials-get=(self)")
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "private, no-store")
            patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response

    def process_view(request: Request, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        _refuse_ids_of_nothing(kwargs)

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def _refuse_ids_of_nothing(arguments: dict[str, Any]) -> None:
    """Answer 404 for ids that the database can't store: no row has one, and a query for it may be an error."""
    if any(isinstance(value, int) and value > LARGEST_ID for value in arguments.values()):
        raise Http404


def straight(get_response: GetResponse) -> GetResponse:
    """Route the calls of devices and monitors to their views without sessions, forms and languages."""
    to_view = cast(GetResponse, convert_exception_to_response(_to_view))

    def middleware(request: Request) -> HttpResponse:
        return to_view(request) if request.path_info.startswith(STRAIGHT) else get_response(request)

    return middleware


def _to_view(request: HttpRequest) -> HttpResponse:
    # The language of this thread's last request must not apply to them.
    translation.activate(settings.LANGUAGE_CODE)
    try:
        request.resolver_match = match = resolve(request.path_info)
    except Resolver404:
        return problem("not_found", "There is nothing at this address.", 404)
    _refuse_ids_of_nothing(match.kwargs)
    return match.func(request, *match.args, **match.kwargs)


def actor(get_response: GetResponse) -> GetResponse:
    """Set `request.actor` (for the console), `request.customer_actor` (for the portal), time zone and language."""

    def middleware(request: Request) -> HttpResponse:
        request.actor = ANONYMOUS
        request.customer_actor = ANONYMOUS
        zone, language = unquote(request.COOKIES.get("custody_tz", "")), None
        if request.user.is_authenticated:
            user = request.user
            request.customer_actor = cast(Actor, SimpleLazyObject(lambda: as_customer(user)))
            request.actor = member_actor(user, request.session.get(ORGANIZATION_IN_SESSION))
            organization = request.actor.organization
            zone = user.time_zone or (organization.time_zone if organization else zone)
            # The language chosen last in this browser takes precedence over the account's.
            language = user.language if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES else None
        with timezone.override(_zone(zone)), translation.override(language or translation.get_language()):
            return get_response(request)

    return middleware


def member_actor(user: Any, organization_id: int | None = None) -> Actor:
    """Return the person as a member: of the chosen organization, else of the first; without rights if of none."""
    # unscoped: finds out who acts
    factors = Authenticator.objects.filter(user=OuterRef("user"), type__in=["totp", "webauthn"])
    # unscoped: finds out who acts, and whether their work is running
    under_way = Operation.objects.filter(state__in=[OperationState.WAITING, OperationState.RUNNING])
    work = under_way.filter(organization=OuterRef("organization"), by_user=OuterRef("user"))
    found = list(
        Member.objects.filter(user=user, removed_at=None)  # unscoped: finds out who acts
        .select_related("organization")
        .annotate(has_factor=Exists(factors), has_work=Exists(work))
        .order_by("id")
    )
    member = next((m for m in found if m.organization_id == organization_id), found[0] if found else None)
    if member is None:
        return Actor(kind="anonymous", user=user, label=str(user))
    return Actor(
        kind="member",
        user=user,
        organization=member.organization,
        role=member.role,
        permissions=ROLES.get(member.role, frozenset()),
        label=str(user),
        has_second_factor=member.has_factor,
        has_other_organizations=len(found) > 1,
        is_working=member.has_work,
    )


def refusals(get_response: GetResponse) -> GetResponse:
    """Answer every `Refused` that a view raises."""

    def middleware(request: Request) -> HttpResponse:
        return get_response(request)

    def process_exception(request: Request, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refused):
            return answer(request, exception)
        if isinstance(exception, ValueError) and "NUL" in str(exception):
            return HttpResponseBadRequest("The input contains a NUL character.", content_type="text/plain")
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def _zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the time zone of this name; UTC for an unknown one.

    Browsers may send anything, so no file is looked up.
    """
    return zoneinfo.ZoneInfo(name if name in _zones() else "UTC")


@cache
def _zones() -> set[str]:
    return zoneinfo.available_timezones()
