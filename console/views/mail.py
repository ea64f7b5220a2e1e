"""The mails that are stored in files while no mail server is configured, so that sign-in codes can be tried."""

import secrets

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from console import keys, mailbox
from console.policies import public
from console.requests import Request

OPENED = "mailbox"


@public("The key that the server printed opens it: before anybody can sign in, codes must be readable.")
def mail_open(request: Request, key: str) -> HttpResponse:
    """Open the stored mails to this browser, for a person who has the key."""
    expected = keys.read(settings.DATA_DIR, keys.MAILBOX_FILE)
    if settings.MAIL_URL or not expected or not secrets.compare_digest(key.encode(), expected.encode()):
        raise Http404
    request.session[OPENED] = True
    return redirect("console:mail_list")


@public("Opened by the key, or by being an owner or administrator; to everybody else it does not exist.")
def mail_list(request: Request) -> HttpResponse:
    """Show the stored mails, newest first. The page looks for new ones by itself."""
    if settings.MAIL_URL or not (request.session.get(OPENED) or mailbox.is_open_to(request.actor)):
        raise Http404
    mails = mailbox.newest()
    is_partial = request.htmx and request.htmx.target == "mails"
    if is_partial and request.GET.get("have") == (mails[0]["name"] if mails else ""):
        return HttpResponse(status=204)
    return render(request, "console/_mails.html" if is_partial else "console/mail_list.html", {"mails": mails})
