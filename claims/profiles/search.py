"""The part of the global search that finds claim profiles, and the devices or profiles of scanned claim codes."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from claims import codes
from claims.models import ClaimCode, ClaimProfile
from console import words
from console.access import Actor
from console.fields import fold, prefix
from console.search import Hit, listed


def find(actor: Actor, text: str, limit: int) -> list[Hit]:
    """Return claim profiles by name or identifier, and the device or profile that a scanned link or code belongs to."""
    return [*_scanned(actor, text), *_profiles(actor, text, limit)]


def _scanned(actor: Actor, text: str) -> list[Hit]:
    """Look up a code by its hash, so that scanning a label opens its device. Other text causes no query."""
    code = codes.normalise(text)
    if len(code) == codes.TYPED_LENGTH and not codes.is_mistyped(code):
        column = "typed_sha256"
    elif len(code) == codes.LINK_LENGTH:
        column = "link_sha256"
    else:
        return []
    rows = ClaimCode.objects.visible_to(actor).select_related("profile", "device__product")
    found = rows.filter(**{column: codes.sha256(code)}).first()
    if found is None:
        return []
    if found.device is None:
        return [_hit(found.profile, 0)]
    return [
        Hit(
            kind=_("Device"),
            icon="cpu",
            title=found.device.serial_number,
            rank=0,
            url=found.device.get_absolute_url(),
            detail=f"{found.device.product} · {found.profile}",
        )
    ]


def _profiles(actor: Actor, text: str, limit: int) -> list[Hit]:
    low, high = prefix(text[:120])
    rows = ClaimProfile.objects.visible_to(actor)
    called_so = Q(name_key__gte=low, name_key__lt=high) | (words.beginning("claim_profile", text[:120]) or Q())
    named = rows.filter(called_so).order_by("name_key", "pk")[:limit]
    called: Any = rows.filter(slug__startswith=text.lower()[:60]).order_by("slug")[:limit] if text.isascii() else []
    found = {profile.pk: profile for profile in [*named, *called]}
    exact = {fold(text), text.lower()}
    return [
        _hit(profile, 0 if {profile.name_key, profile.slug} & exact else 1, listed("claims:claim_profile_list", text))
        for profile in list(found.values())[:limit]
    ]


def _hit(profile: ClaimProfile, rank: int, more: str = "") -> Hit:
    return Hit(
        kind=_("Claim profile"),
        icon="qr-code",
        title=profile.name,
        detail=profile.slug,
        rank=rank,
        url=profile.get_absolute_url(),
        more=more,
    )
