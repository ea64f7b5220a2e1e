"""Mailed links that sign a person in, where six digits could be guessed by who asks too often."""

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

# Twice as long as the mailbox has to wait for the next one: whoever asks again has one that works for an hour.
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
    """Make a link for this mailbox and give its address. Without a user it opens nothing, and takes as long."""
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
    """The link with this token, if it still works."""
    rows = SignInLink.objects.select_related("user").filter(token_sha256=_digest(token), user__is_active=True)
    link = rows.first()
    return link if link is not None and link.is_open else None


@transaction.atomic
def use(link: SignInLink, *, at: datetime | None = None) -> bool:
    """Use a link up. Gives False where somebody was first, or it is over."""
    at = at or timezone.now()
    is_first = SignInLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=at).update(used_at=at)
    if is_first:
        allowances.link_was_used(link.email)
    return bool(is_first)


def delete_old() -> int:
    """Delete the links that ended more than a day ago. Returns how many."""
    return SignInLink.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()[0]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
