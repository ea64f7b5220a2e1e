"""Pages of a person's own account. django-allauth handles signing in itself."""

from typing import Any
from urllib.parse import unquote

from allauth.account.internal.stagekit import clear_login
from allauth.account.views import request_login_code
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.editing import Edit
from console.forms import AccountForm
from console.models import User
from console.people import browsers
from console.people.actions import accounts
from console.policies import public, signed_in
from console.requests import Request, SignedIn


@signed_in
def account_edit(request: SignedIn) -> HttpResponse:
    """Edit the person's name, language and time zone."""
    edit = Edit(
        request,
        request.user,
        lambda data, row: _form(request, data, row),
        lambda row, values: accounts.edit(row, **values),
    )
    if not edit.is_done:
        return edit.page("console/people/account_edit.html")
    messages.success(request, _("Saved."))
    return _in_language(redirect("console:account_edit"), edit.row.language)


@signed_in
def second_factor(request: Request) -> HttpResponse:
    """Show why the organization requires a second step, and the ways to set one up."""
    if request.actor.has_second_factor or request.actor.kind != "member":
        return redirect("console:home")
    return render(request, "console/people/second_factor.html")


@signed_in
@require_POST
def sign_out_everywhere(request: SignedIn) -> HttpResponse:
    """End all other sessions of the person at once; the current one continues."""
    accounts.sign_out_everywhere(request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, _("You’re signed out everywhere else. API keys still work."))
    response = redirect("mfa_index")
    browsers.remember(request, response, request.user)
    return response


@public("Whoever asked for a sign-in code may ask for another one; it counts as the first one did.")
@require_POST
def code_again(request: Request) -> HttpResponse:
    """Begin the sign-in by code again, for the same address."""
    clear_login(request)
    return request_login_code(request)


def _form(request: SignedIn, data: Any, user: User) -> AccountForm:
    initial = {"name": user.name, "language": user.language, "time_zone": user.time_zone}
    return AccountForm(data, initial=initial, default_zone=_default_zone(request))


def _in_language(response: HttpResponse, language: str) -> HttpResponse:
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=31_536_000, samesite="Lax", secure=settings.SECURE
        )
    return response


def _default_zone(request: Request) -> str:
    organization = request.actor.organization
    zone = organization.time_zone if organization else unquote(request.COOKIES.get("custody_tz", "")) or "UTC"
    words = _("Same as the organization: %(zone)s") if organization else _("Same as the browser: %(zone)s")
    return words % {"zone": zone.replace("_", " ")}
