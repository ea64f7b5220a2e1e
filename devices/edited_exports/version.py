"""What a unit was when it was exported, as a few letters that stand in the last column of the file.

They are made of one part for each cell that matters, so that it can be told, years later and without the export, which
cells a person has edited and which the console has changed since. And they hold the unit itself: where a single column
of the file was sorted, each row has the letters of another one.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache

from console.fields import fold
from devices.edited_exports.columns import EDITED

# The cells of which a version tells, in its order; those before are the unit and its owner's id.
TEXTS = ("serial_number", "product", "status", "owner", "owner_reference", *EDITED)
PARTS = ("unit", "holder", *TEXTS)
LENGTH = 5
# No digits first, so that no spreadsheet makes a number of it; nothing that looks like something else.
_START = "v"
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def normal(name: str, text: str) -> str:
    """The form in which two texts of a column are compared: without what a spreadsheet changes on its own."""
    if name == "notes":
        return text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if name == "tags":
        return "\n".join(sorted({fold(tag) for tag in text.split(",") if tag.strip()}))
    return fold(text)


@lru_cache(maxsize=50_000)
def part(text: str) -> str:
    """Five letters that stand for a text; another text has others, but for one in 33 million."""
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
    return "".join(_LETTERS[(number >> shift) & 31] for shift in range(0, LENGTH * 5, 5))


def version_of(name_key: str, customer_id: int | None, texts: Mapping[str, str]) -> str:
    """The version of a unit, by its folded name, its owner's id and the texts of the columns."""
    parts = [part(name_key), part(f"customer {customer_id or ''}")]
    return _START + "".join([*parts, *(part(normal(name, texts[name])) for name in TEXTS)])


def parts_of(version: str) -> dict[str, str] | None:
    """The parts of a version by their names; None where it is no version."""
    text = version.strip().lower()
    if len(text) != 1 + LENGTH * len(PARTS) or text[0] != _START or not set(text) <= set(_LETTERS):
        return None
    return {name: text[1 + LENGTH * n : 1 + LENGTH * (n + 1)] for n, name in enumerate(PARTS)}
