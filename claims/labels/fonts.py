"""The faces of labels. Bitstream Vera comes with reportlab; where a text needs more, DejaVu is taken if the server has it.

Both are drawn from the same outlines, so nothing jumps where one label needs the other face.
"""

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import reportlab
from PIL import ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_OWN = Path(reportlab.__file__).parent / "fonts"
_SYSTEM = [
    Path(folder)
    for folder in ("/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu", "/usr/share/fonts/TTF")
]
# By weight: the face that is always there, and the one for what it lacks.
_FILES = {
    "Vera": [_OWN / "Vera.ttf"],
    "VeraBd": [_OWN / "VeraBd.ttf"],
    "DejaVu": [folder / "DejaVuSans.ttf" for folder in _SYSTEM],
    "DejaVuBd": [folder / "DejaVuSans-Bold.ttf" for folder in _SYSTEM],
}
_FACES = {False: ("Vera", "DejaVu"), True: ("VeraBd", "DejaVuBd")}
ELLIPSIS = "…"


@cache
def path_of(face: str) -> Path | None:
    """The file of a face, or None where this server has none."""
    return next((path for path in _FILES[face] if path.exists()), None)


@cache
def font(face: str) -> TTFont | None:
    """The face as reportlab draws it, or None where this server has none."""
    path = path_of(face)
    if path is None:
        return None
    made = TTFont(face, str(path))
    pdfmetrics.registerFont(made)
    return made


@lru_cache(maxsize=64)
def picture_font(face: str, pixels: float) -> ImageFont.FreeTypeFont:
    """The face as Pillow draws it, at a size in pixels."""
    return ImageFont.truetype(str(path_of(face)), pixels)


@lru_cache(maxsize=2_048)
def set_in(text: str, bold: bool) -> tuple[str, str]:
    """The face that has all characters of the text, and the text. What no face has loses its accents, or is a "?"."""
    for face in _FACES[bold]:
        if (made := font(face)) and all(ord(character) in made.face.charToGlyph for character in text):
            return face, text
    face = next(face for face in reversed(_FACES[bold]) if font(face))
    return face, "".join(_replaced(character, face) for character in text)


@lru_cache(maxsize=8_192)
def width(text: str, face: str) -> float:
    """How wide the text is, in units of the size of the face."""
    made = font(face)
    assert made is not None
    return made.stringWidth(text, 1)


def _replaced(character: str, face: str) -> str:
    glyphs = font(face).face.charToGlyph  # type: ignore[union-attr]
    plain = "".join(
        part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)
    )
    return next(
        (each for each in (character, plain) if each and all(ord(part) in glyphs for part in each)), "?"
    )
