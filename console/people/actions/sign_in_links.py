"""Emailed links that sign a person in, used where somebody who asks often enough could guess six digits."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from console.models import SignInLink
from console.people import allowances

# Twice the wait for the next link to a mailbox, so people who ask again have one that works for another hour.
VALID = timedelta(hours=2)


@transaction.atomic
def make(
    email: str,
    *,
    user: Any,
    next_url: str = "",
    carried: Any = None,
    token: str | None = None,
    at: datetime | None = None,
) -> str:
    """Create a link for this mailbox and return its address.

    Without a user the link opens nothing, but takes as long to create.
    """
    token, at = token or secrets.token_urlsafe(32), at or timezone.now()
    SignInLink.objects.create(
        user=user,
        email=email,
        token_sha256=_digest(token),
        created_at=at,
        expires_at=at + VALID,
        next_url=next_url if len(next_url) <= 500 else "",
        carried=carried,
    )
    return settings.BASE_URL + reverse("console:sign_in_link", args=[token])


def find_open(token: str) -> SignInLink | None:
    """Return the link with this token, or None if it no longer works."""
    rows = SignInLink.objects.select_related("user").filter(token_sha256=_digest(token), user__is_active=True)
    link = rows.first()
    return link if link is not None and link.is_open else None


@transaction.atomic
def use(link: SignInLink, *, at: datetime | None = None) -> bool:
    """Mark a link as used. Returns False if it was used already or has expired."""
    at = at or timezone.now()
    is_first = SignInLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=at).update(used_at=at)
    if is_first:
        allowances.link_was_used(link.email)
    return bool(is_first)


def delete_old() -> int:
    """Delete the links that expired more than a day ago. Returns how many."""
    return SignInLink.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()[0]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
