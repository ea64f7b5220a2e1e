"""The policy mark that every view carries: who may open it.

Nobody can open a view until it is marked with `@requires`, `@portal`, `@signed_in` or `@public`; a test walks all
routes and fails where a mark is missing.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils import translation

from console.access import Permission
from console.requests import Request
from console.slots import One

# Returns whether an organization exists.
is_set_up: One[[], bool] = One("console.policies.is_set_up")

# The methods that pages answer. Forms change data by POST; everything else only reads.
METHODS = ["GET", "HEAD", "POST"]

View = Callable[..., HttpResponseBase]


def requires(permission: Permission) -> Callable[[View], View]:
    """Open a console view to members that hold the permission.

    Others get 403; signed-out visitors get a sign-in page.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in METHODS:
                return HttpResponseNotAllowed(METHODS)
            actor = request.actor
            if actor.user is None:
                return to_sign_in(request)
            if actor.kind != "member":
                return redirect("portal:home") if request.path == "/" else _refuse()
            if actor.organization.requires_second_factor and not actor.has_second_factor:
                return redirect("console:second_factor")
            if not actor.may(permission):
                raise PermissionDenied(permission)
            # The console has one language. Customers' pages and people's own account pages use the reader's language.
            translation.activate(settings.LANGUAGE_CODE)
            response = view(request, *args, **kwargs)
            response.headers.setdefault("Content-Language", settings.LANGUAGE_CODE)
            return response

        guarded.policy = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def portal(view: View) -> View:
    """Open a view to signed-in people in their role as a customer. `visible_to` decides what each of them sees."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if not request.user.is_authenticated:
            return to_sign_in(request, "account_request_login_code")
        request.is_member = request.actor.kind == "member"
        request.actor = request.customer_actor
        return view(request, *args, **kwargs)

    guarded.policy = "portal"  # type: ignore[attr-defined]
    return guarded


def signed_in(view: View) -> View:
    """Open a view that concerns only the person to anybody who is signed in."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if not request.user.is_authenticated:
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    guarded.policy = "signed_in"  # type: ignore[attr-defined]
    return guarded


def public(reason: str) -> Callable[[View], View]:
    """Open a view to everybody. `reason` documents why and is not evaluated."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in METHODS:
                return HttpResponseNotAllowed(METHODS)
            return view(request, *args, **kwargs)

        guarded.policy = "public"  # type: ignore[attr-defined]
        guarded.policy_reason = reason  # type: ignore[attr-defined]
        return guarded

    return decorate


def handler(view: View) -> View:
    """Mark a page that Django shows in place of another, whatever the method of the request was."""
    view.policy = "handler"  # type: ignore[attr-defined]
    return view


def to_sign_in(request: Request, page: str | None = None) -> HttpResponse:
    """Redirect to the sign-in page, which leads back here, or to the setup page while no organization exists.

    htmx is instructed to load the whole page.
    """
    response = redirect_to_login(request.get_full_path(), page)
    if not is_set_up():
        response = redirect("console:setup")
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": response.url})
    return response


def _refuse() -> HttpResponse:
    raise PermissionDenied
