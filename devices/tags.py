"""The rules for tags: how they are read from text and which a device may have, the same everywhere."""

from collections.abc import Collection, Iterable, Mapping

from django.utils.translation import gettext as _

from console.fields import fold
from devices.identifiers import Unfit

MAX_TAGS, MAX_LENGTH = 20, 40
# The pattern of one tag. A comma would split it in two wherever tags are written as text.
PATTERN = r"^[^,\x00]+$"


def named(pieces: Iterable[str]) -> dict[str, str]:
    """Return `{folded: as written}` for the tags among the pieces. Of several spellings, the first is kept."""
    found: dict[str, str] = {}
    for piece in pieces:
        if piece.strip():
            found.setdefault(fold(piece), " ".join(piece.split()))
    return found


def refuse_unfit(tags: Mapping[str, str], *, had: Collection[str] = ()) -> None:
    """Raise Unfit if a device can't have these tags.

    `tags` are as `named` returns them. `had` are the folded names of tags that the device already has and may keep.
    """
    if any(not name.isprintable() for name in tags.values()):
        raise Unfit(_("A tag contains an invisible control character."))
    # Some letters become longer when folded, and the folded name is stored too.
    new = [text for pair in tags.items() if pair[0] not in had for text in pair]
    if len(tags) > max(MAX_TAGS, len(had)) or any(len(text) > MAX_LENGTH for text in new):
        raise Unfit(_("A device can have at most 20 tags, with at most 40 characters each."))


def read(text: str, separators: str = ",") -> list[str]:
    """Return the tags in a text. Raises Unfit if a device can't have them."""
    for separator in separators[1:]:
        text = text.replace(separator, separators[0])
    tags = named(text.split(separators[0]))
    refuse_unfit(tags)
    return list(tags.values())
