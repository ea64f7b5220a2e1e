"""The setup page of a new server."""

import secrets
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from console import keys
from console.actions import organizations
from console.forms import SetupForm, page
from console.models import Member, Organization
from console.people.adapters import sign_in
from console.policies import public


@public("There is nobody who could sign in yet; the code that the server printed opens it.")
def setup(request: HttpRequest) -> HttpResponse:
    """Create the organization and its owner, who is then signed in. The page does not exist once there is one."""
    if Organization.objects.exists():  # unscoped: asks only whether the server is set up
        raise Http404
    form = SetupForm(request.POST or None, initial=_initial(request))
    if request.method == "POST":
        if form.is_valid() and _is_right(form.cleaned_data["code"]):
            member = _found(form.cleaned_data)
            return sign_in(request, member.user)
        if form.is_valid():
            form.add_error("code", _("That code isn’t right. Use the one that the server printed when it started."))
    return page(request, "console/setup.html", form)


def _initial(request: HttpRequest) -> dict[str, Any]:
    zone = unquote(request.COOKIES.get("custody_tz", ""))
    return {"code": request.GET.get("code", "")[:100], "time_zone": zone or "UTC"}


def _is_right(code: str) -> bool:
    expected = keys.read(settings.DATA_DIR, keys.SETUP_FILE)
    return bool(expected) and secrets.compare_digest(code.encode(), expected.encode())


def _found(values: dict[str, Any]) -> Member:
    return organizations.found(
        name=values["organization"],
        owner_name=values["name"],
        email=values["email"],
        password=values["password"],
        time_zone=values["time_zone"],
        requires_second_factor=values["requires_second_factor"],
    )
