"""The emailed link that signs a person in. Opening it does nothing; pressing the button signs in, once."""

from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.models import SignInLink
from console.people.actions import sign_in_links
from console.people.adapters import sign_in_by_link
from console.policies import public
from console.requests import Request

TOKEN_IN_SESSION, CLEAN = "sign_in_link", "open"


@public("Whoever reads the mailbox may sign in as its owner; the token can't be guessed.")
def sign_in_link(request: Request, token: str) -> HttpResponse:
    """Remove the token from the address, ask whether to sign in as this person, and sign in."""
    if token != CLEAN:
        request.session[TOKEN_IN_SESSION] = token[:100]
        return redirect("console:sign_in_link", CLEAN)
    link = sign_in_links.find_open(request.session.get(TOKEN_IN_SESSION, ""))
    if request.method != "POST" and link is not None:
        return render(request, "account/sign_in_link.html", {"link": link})
    if link is None or not sign_in_links.use(link):
        return render(request, "account/sign_in_link_closed.html", status=404)
    return _enter(request, link)


def _enter(request: Request, link: SignInLink) -> HttpResponse:
    request.session.pop(TOKEN_IN_SESSION, None)
    if request.user.is_authenticated and request.user != link.user:
        logout(request)
    return sign_in_by_link(request, link)
