"""The fonts of labels, slips and packing lists, and the letters that none of them can print.

Bitstream Vera comes with reportlab. For texts that need more, DejaVu is used if it is installed (its outlines are those
of Vera), and WenQuanYi Micro Hei for Chinese, Japanese and Korean. Fonts must have TrueType outlines: reportlab can't
embed others, such as those of Noto CJK. Right-to-left scripts count as missing, because their letters would have to be
reordered and joined.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

import reportlab
from django.utils.translation import ngettext
from PIL import ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_OWN = Path(reportlab.__file__).parent / "fonts"
_SYSTEM = [
    Path(folder) for folder in ("/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu", "/usr/share/fonts/TTF")
]
# It has Latin letters too, because a line is set in a single font.
_CJK = [
    Path("/usr/share/fonts") / place for place in ("truetype/wqy/wqy-microhei.ttc", "wqy-microhei/wqy-microhei.ttc")
]
# For each weight: the font that is always available first, then the fallbacks.
_FILES = {
    "Vera": [_OWN / "Vera.ttf"],
    "VeraBd": [_OWN / "VeraBd.ttf"],
    "DejaVu": [folder / "DejaVuSans.ttf" for folder in _SYSTEM],
    "DejaVuBd": [folder / "DejaVuSans-Bold.ttf" for folder in _SYSTEM],
    "Cjk": _CJK,
}
_FACES = {False: ("Vera", "DejaVu", "Cjk"), True: ("VeraBd", "DejaVuBd", "Cjk")}
_FROM_RIGHT = {"R", "AL", "AN"}
ELLIPSIS = "…"


@cache
def path_of(face: str) -> Path | None:
    """Return the file of a font, or None if it is not installed."""
    return next((path for path in _FILES[face] if path.exists()), None)


@cache
def font(face: str) -> TTFont | None:
    """Return the font for reportlab, registered, or None if it is not installed."""
    path = path_of(face)
    if path is None:
        return None
    made = TTFont(face, str(path))
    pdfmetrics.registerFont(made)
    return made


@lru_cache(maxsize=64)
def picture_font(face: str, pixels: float) -> ImageFont.FreeTypeFont:
    """Return the font for Pillow, at a size in pixels."""
    return ImageFont.truetype(str(path_of(face)), pixels)


@lru_cache(maxsize=2_048)
def set_in(text: str, bold: bool) -> tuple[str, str]:
    """Return the font that covers most of the text, and the text as that font can print it.

    Characters that the font lacks lose their accents or become "?".
    """
    face = _best(text, bold)
    return face, "".join(_replaced(each, face) if _is_lacking(each, face) else each for each in text)


def lacking(text: str, bold: bool = False) -> str:
    """Return the distinct letters of a text that can't be printed as they are, in order of appearance."""
    if text.isascii():
        return ""
    face = _best(text, bold)
    return "".join(dict.fromkeys(each for each in text if _is_lacking(each, face)))


def _best(text: str, bold: bool) -> str:
    faces = [face for face in _FACES[bold] if font(face)]
    return min(faces, key=lambda face: sum(_is_lacking(each, face) for each in text))


def _is_lacking(character: str, face: str) -> bool:
    if character.isspace():
        return False
    if unicodedata.bidirectional(character) in _FROM_RIGHT:
        return True
    # Some fonts map characters to glyph 0, which marks missing ones.
    return not font(face).face.charToGlyph.get(ord(character))  # type: ignore[union-attr]


@lru_cache(maxsize=8_192)
def width(text: str, face: str) -> float:
    """Return the width of the text as a multiple of the font size."""
    made = font(face)
    assert made is not None
    return made.stringWidth(text, 1)


def _replaced(character: str, face: str) -> str:
    glyphs = font(face).face.charToGlyph  # type: ignore[union-attr]
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    return plain if plain and plain != character and all(ord(part) in glyphs for part in plain) else "?"


def note(texts: Iterable[str]) -> str:
    """Return the note about letters in these texts that could not be printed; empty if there are none."""
    count = len({letter for text in texts for letter in lacking(text)})
    if not count:
        return ""
    return ngettext(
        "%(n)s letter of this page could not be printed and is shown without its accent or as “?”.",
        "%(n)s letters of this page could not be printed and are shown without accents or as “?”.",
        count,
    ) % {"n": count}
