"""Claim codes, which are derived from an id, a version and a server key, and never stored.

The link token has 128 bits in 26 characters; the typed code has 60 bits in 12 characters, plus a check character.
The alphabet is Crockford's base32 (https://www.crockford.com/base32.html); the check character is Luhn mod 32 over it.
"""

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
VALUES = {character: value for value, character in enumerate(ALPHABET)}
# Characters that people confuse are read as the one that was printed.
TWINS = str.maketrans("OIL", "011")
LINK_LENGTH, TYPED_LENGTH = 26, 13
# Two digits at a time for speed: codes are created by the hundred thousand.
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_LINK = re.compile(r"/c/([^/?#\s]+)(?:[/?#]\S*)?\s*$", re.IGNORECASE)
# Longer than anything printed: longer texts are ignored.
MOST_CHARACTERS = 400


@dataclass(frozen=True)
class Printed:
    """The printed forms of a claim code: the token of its link and the typed code."""

    link: str
    typed: str

    @property
    def typed_in_groups(self) -> str:
        """Return the typed code as printed on a label: 7K3M-9QXD-2F8T-C."""
        return "-".join(self.typed[start : start + 4] for start in range(0, TYPED_LENGTH, 4))


def current_key() -> str:
    """Return the id of the server key from which new codes are derived."""
    return next(iter(settings.CLAIM_KEYS))


def derive(code_id: UUID, version: int, key_id: str) -> Printed:
    """Return the printed forms of a code. Raises KeyError if its server key is no longer configured."""
    key = settings.CLAIM_KEYS[key_id]
    message = code_id.bytes + version.to_bytes(4, "big")
    link = hmac.digest(key, b"custody/claim-code/1|link|" + message, "sha256")[:16]
    typed = hmac.digest(key, b"custody/claim-code/1|typed|" + message, "sha256")[:8]
    body = _base32(int.from_bytes(typed, "big") >> 4, TYPED_LENGTH - 1)
    return Printed(_base32(int.from_bytes(link, "big"), LINK_LENGTH), body + check_character(body))


def sha256(code: str) -> str:
    """Return the SHA-256 hash of a code in hexadecimal, which is all that the database stores."""
    return hashlib.sha256(code.encode()).hexdigest()


def _base32(number: int, length: int) -> str:
    """Return a number in `length` base32 digits; `length` must be even."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * length - 10, -1, -10)])


def check_character(body: str) -> str:
    """Return the Luhn mod 32 check character of a text in the alphabet.

    It detects every single wrong character and nearly every swap of two neighbours.
    """
    total = 0
    for position, character in enumerate(reversed(body)):
        value = VALUES[character]
        if position % 2 == 0:
            value *= 2
            value = value // 32 + value % 32
        total += value
    return ALPHABET[-total % 32]


def normalise(text: str) -> str:
    """Return a typed or scanned code as it was printed: upper case, no separators, O read as 0, I and L as 1.

    For a claim link, returns the code in it; for a text of more than 400 characters, an empty string.
    """
    if len(text) > MOST_CHARACTERS:
        return ""
    link = _LINK.search(text)
    plain = unicodedata.normalize("NFKC", link[1] if link else text).upper()
    return "".join(character for character in plain if character.isalnum()).translate(TWINS)


def is_link(text: str) -> bool:
    """Whether a text has the length of a link token (128 bits)."""
    return len(normalise(text)) == LINK_LENGTH


def is_mistyped(code: str) -> bool:
    """Whether a normalised code has the length of a typed one but a wrong check character."""
    return len(code) == TYPED_LENGTH and (
        any(character not in VALUES for character in code) or check_character(code[:-1]) != code[-1]
    )
