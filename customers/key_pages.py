"""The steps by which a key is made and revoked: the same in the console and in the portal, with other pages."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from console import once
from console.errors import Refused
from console.requests import Request
from customers import dependents
from customers.actions import api_keys
from customers.key_forms import ApiKeyForm, CustomerKeyForm
from customers.models import ApiKey


def create(
    request: Request, form: ApiKeyForm | CustomerKeyForm, *, ask: str, show: str, **context: Any
) -> HttpResponse:
    """Show the form with the template `ask`; create the key and lead to the route `show`, which shows it once."""
    if request.method == "POST" and form.is_valid():
        try:
            key, text = api_keys.create(by=request.actor, **form.plan())
            return once.lead_to(request, reverse(show, args=[key.pk]), text)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    return render(request, ask, {**context, "form": form}, status=422 if form.errors else 200)


def show(request: Request, key: ApiKey, *, template: str) -> HttpResponseBase:
    """The text of a key that was just created; whoever loads the page again reads that it was shown."""
    text = once.take(request)
    response = render(request, template, {"key": key, "text": text, "base_url": settings.BASE_URL})
    return once.forget(request, response) if text else response


def revoke(request: Request, key: ApiKey, *, ask: str, then: str, **context: Any) -> HttpResponse:
    """Ask with the template `ask`, then revoke the key and go to the route `then`.

    What depends on the key is shown: `disable` are the webhooks to switch off with it, `seen` all that were shown.
    """
    if request.method == "POST":
        disables, seen = (_ids(request, name) for name in ("disable", "seen"))
        api_keys.revoke(key, by=request.actor, disables=disables, seen=seen)
        messages.success(request, _("The API key %(key)s is revoked.") % {"key": key})
        return redirect(then)
    return render(request, ask, {**context, "key": key, "left": dependents.of(key)})


def _ids(request: Request, name: str) -> set[int]:
    found = request.POST.getlist(name)
    return {int(text) for text in found if text.isascii() and text.isdecimal() and len(text) < 19}
