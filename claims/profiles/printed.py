"""The printed forms of a claim code: its link, its QR code and its typed code.

Links are built from the configured base URL or the profile's domain, never from a request's Host header.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from claims.models import ClaimCode, ClaimProfile
from claims.paper import qr
from claims.profiles.actions import codes as claim_codes


@dataclass(frozen=True)
class Label:
    """The printed forms of a code: the link for people, the canonical link for the QR code, and the typed code."""

    code: ClaimCode
    link: str
    canonical: str
    typed: str

    @property
    def shown(self) -> str:
        """The link as it is displayed, without its scheme."""
        return self.link.partition("://")[2]

    def draw(self) -> qr.Drawing:
        """Return the QR code of the canonical link."""
        return qr.draw(self.canonical)


def label(code: ClaimCode) -> Label | None:
    """Return what is printed of this code; None if its server key is no longer configured."""
    printed = claim_codes.printed(code)
    if printed is None:
        return None
    return Label(code, link(code.profile, printed.link), canonical(code.profile, printed.link), printed.typed_in_groups)


def link(profile: ClaimProfile, token: str) -> str:
    """Return the claim link in the form that people read and copy."""
    return f"{_base(profile)}/c/{token}"


def canonical(profile: ClaimProfile, token: str) -> str:
    """Return the claim link in the form that the QR code encodes.

    It is in upper case, so that the QR code needs little more than half the modules. A path in the base URL is left
    unchanged because it may be case-sensitive.
    """
    parts = urlsplit(_base(profile))
    return f"{parts.scheme}://{parts.netloc}".upper() + f"{parts.path}/C/{token}"


def _base(profile: ClaimProfile) -> str:
    return f"https://{profile.domain.host}" if profile.domain else settings.BASE_URL
