"""A phone in the tests: scan a code, sign in with the emailed one, claim."""

import re
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse

from claims.models import ClaimCode
from claims.profiles.actions import codes as claim_codes

CSRF = re.compile(rb'(name="csrfmiddlewaretoken" value=")[^"]+')


def printed(profile: Any, device: Any = None) -> Any:
    """Return what is on the label of a device, or of a profile with one code for all."""
    return claim_codes.printed(ClaimCode.objects.get(profile=profile, device=device))


def scan(client: Client, code: str, **extra: Any) -> Any:
    """Open the link of the QR code."""
    return client.get(f"/C/{code}", **extra)


def ask_for_code(client: Client, email: str, **fields: Any) -> Any:
    return client.post(
        reverse("account_request_login_code"), {"email": email, "next": reverse("claim:review"), **fields}
    )


def mailed_code() -> str:
    """Return the six digits of the newest email."""
    found = re.search(r"\b\d{6}\b", mail.outbox[-1].body)
    assert found is not None
    return found[0]


def confirm(client: Client, code: str, **fields: Any) -> Any:
    return client.post(reverse("account_confirm_login_code"), {"code": code, "next": reverse("claim:review"), **fields})


def sign_in(client: Client, email: str) -> Any:
    """Ask for a code, read the email and enter it."""
    assert ask_for_code(client, email).status_code == 302
    return confirm(client, mailed_code())


def nonce(client: Client) -> str:
    return client.session["claim"]["nonce"]


def redeem(client: Client, **fields: Any) -> Any:
    """Press Claim on the review page."""
    return client.post(reverse("claim:redeem"), {"nonce": nonce(client), **fields})


def bare(response: Any) -> bytes:
    """Return the body without its CSRF tokens."""
    return CSRF.sub(rb"\1", response.content)
