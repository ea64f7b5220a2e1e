"""Opens pictures that people upload, with limits checked against their headers before anything is unpacked."""

import warnings
from typing import IO

from PIL import Image, JpegImagePlugin, PngImagePlugin

# How many bytes unpacking may take; the rest of the process takes some 70 MiB.
MOST_MEMORY = 62 * 1024 * 1024
# A row costs memory even if it is one pixel wide.
LONGEST_SIDE = 16_384
# Text chunks of a PNG, unpacked, in bytes; Pillow by itself would accept 64 MiB of them.
MOST_NOTES = 2 * 1024 * 1024
# Bytes per pixel. WebP is unpacked whole and copied twice; pictures with transparency are drawn on white; palettes
# become colours; and shades of grey are scaled down in two steps.
_OF_WEBP, _OF_CLEAR, _OF_COLOUR = 16, 7, 4
_OTHERS = {"L": 2, "1": 2, "P": 5}

PngImagePlugin.MAX_TEXT_MEMORY = MOST_NOTES


class TooLarge(Exception):
    """The picture would take too much memory to unpack."""


def open_picture(file: IO[bytes], formats: tuple[str, ...], *, most_pixels: int, mode: str = "RGB") -> Image.Image:
    """Open a picture without unpacking it. Large JPEGs will be unpacked at a half, quarter or eighth of the size.

    `most_pixels` is how many are wanted, `mode` is "L" or "RGB". Raises TooLarge, and whatever Pillow raises for a file
    that is not a picture.
    """
    with warnings.catch_warnings():
        # The limits here are lower than the one at which Pillow warns.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            picture: Image.Image = Image.open(file, formats=formats)
        except Image.DecompressionBombError:
            raise TooLarge from None
    if max(picture.size) > LONGEST_SIDE:
        raise TooLarge
    spent = 0
    if isinstance(picture, JpegImagePlugin.JpegImageFile):
        spent = _coefficients(picture)
        factor = next((n for n in (1, 2, 4) if picture.width * picture.height <= most_pixels * n * n), 8)
        picture.draft(mode, (max(picture.width // factor, 1), max(picture.height // factor, 1)))
    if spent + picture.width * picture.height * _bytes_of(picture) > MOST_MEMORY:
        raise TooLarge
    return picture


def _coefficients(picture: JpegImagePlugin.JpegImageFile) -> int:
    """Return the bytes that hold a progressive JPEG until its last pass: two per coefficient of the full size."""
    if not (picture.info.get("progressive") or picture.info.get("progression")):
        return 0
    widest, highest = (max(layer[place] for layer in picture.layer) for place in (1, 2))
    share = sum(layer[1] * layer[2] for layer in picture.layer) / (widest * highest)
    return int(2 * picture.width * picture.height * share)


def _bytes_of(picture: Image.Image) -> int:
    if picture.format == "WEBP":
        return _OF_WEBP
    if picture.has_transparency_data:
        return _OF_CLEAR
    return _OTHERS.get(picture.mode, _OF_COLOUR)
