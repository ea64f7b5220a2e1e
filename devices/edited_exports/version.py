"""The version of a device when it was exported: a short code in the last column of the file.

It has one part for each cell that matters. This shows, years later and without the export, which cells a person has
edited and which were changed in the console since. It also identifies the device itself: if a single column of the
file was sorted, each row has the code of another device.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache

from console.fields import fold
from devices.edited_exports.columns import EDITED

# The cells that a version covers, in its order; the parts before them are the device and its owner's id.
TEXTS = ("serial_number", "product", "status", "owner", "owner_reference", *EDITED)
PARTS = ("unit", "holder", *TEXTS)
LENGTH = 5
# Starts with a letter, so that no spreadsheet takes it for a number; characters that look alike are left out.
_START = "v"
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def normal(name: str, text: str) -> str:
    """Normalize a text of a column for comparison, removing what a spreadsheet changes on its own."""
    if name == "notes":
        return text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if name == "tags":
        return "\n".join(sorted({fold(tag) for tag in text.split(",") if tag.strip()}))
    return fold(text)


@lru_cache(maxsize=50_000)
def part(text: str) -> str:
    """Return five characters that identify a text; two texts have the same ones with a chance of 1 in 33 million."""
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
    return "".join(_LETTERS[(number >> shift) & 31] for shift in range(0, LENGTH * 5, 5))


def version_of(name_key: str, customer_id: int | None, texts: Mapping[str, str]) -> str:
    """Return the version of a device from its folded name, its owner's id and the texts of the columns."""
    parts = [part(name_key), part(f"customer {customer_id or ''}")]
    return _START + "".join([*parts, *(part(normal(name, texts[name])) for name in TEXTS)])


def parts_of(version: str) -> dict[str, str] | None:
    """Return the parts of a version by their names; None if the text is not a version."""
    text = version.strip().lower()
    if len(text) != 1 + LENGTH * len(PARTS) or text[0] != _START or not set(text) <= set(_LETTERS):
        return None
    return {name: text[1 + LENGTH * n : 1 + LENGTH * (n + 1)] for n, name in enumerate(PARTS)}
