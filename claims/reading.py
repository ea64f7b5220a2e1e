"""Reads every QR code and barcode of a photo: of one label, or of a whole sheet or box of them."""

import math
import warnings
from io import BytesIO
from typing import Any

import zxingcpp
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from console.errors import Refused

# What is refused before anything is unpacked. A phone's photo has 12 to 24 megapixels and 3 to 8 MB. The largest picture
# that is read takes some 230 MB for a moment, and three seconds where it is nothing but noise.
MOST_BYTES, MOST_PIXELS = 15 * 1024 * 1024, 40_000_000
PICTURES = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
# Below this there is nothing to read.
LEAST_SIDE = 16
_Format = zxingcpp.BarcodeFormat
SQUARE = (_Format.QRCode, _Format.DataMatrix)
FORMATS: Any = (*SQUARE, _Format.Code128, _Format.EANUPC)
# A picture of Apple's or Android's newer cameras, by the brand in its first box (ISO/IEC 23008-12).
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def read(data: bytes) -> list[str]:
    """The texts of all QR, Data Matrix, Code 128 and EAN codes in a photo, in reading order, each once.

    The photo may be turned, as a whole or by its EXIF, and the order is that of the labels on the paper. An empty list
    where there is none. Raises Refused (422) for what is no picture, larger than 15 MB or than 40 megapixels, or can't
    be unpacked.
    """
    return in_order(zxingcpp.read_barcodes(_grey(data), formats=FORMATS, text_mode=zxingcpp.TextMode.Plain))


def in_order(found: list[Any]) -> list[str]:
    """The texts of barcodes line by line, as the paper lies, each once."""
    tilt = _tilt(found)
    placed = sorted((_turned(barcode, -tilt) for barcode in found), key=lambda place: place[1])
    lines: list[list[tuple[float, float, float, str]]] = []
    for place in placed:
        # Of one line is what begins less than half a code below its first one.
        if lines and place[1] - lines[-1][0][1] < max(place[2], lines[-1][0][2]) / 2:
            lines[-1].append(place)
        else:
            lines.append([place])
    texts = (text.strip() for line in lines for _x, _y, _size, text in sorted(line))
    return list(dict.fromkeys(text for text in texts if text))


def _grey(data: bytes) -> Image.Image:
    """The picture upright, in shades of grey."""
    if len(data) > MOST_BYTES:
        raise _refused(
            "photo_too_large", _("The photo is larger than 15 MB. Take it with a lower resolution.")
        )
    try:
        with warnings.catch_warnings():
            # Our own limit is lower than the one at which Pillow warns.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture: Image.Image = Image.open(BytesIO(data), formats=PICTURES)
        if picture.width * picture.height > MOST_PIXELS:
            raise _too_many_pixels()
        if min(picture.size) < LEAST_SIDE:
            raise _no_picture(data)
        # A JPEG is unpacked as grey at once: a third of the memory.
        picture.draft("L", None)
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        return ImageOps.exif_transpose(picture.convert("L"))
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError):
        raise _no_picture(data) from None


def _no_picture(data: bytes) -> Refused:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        return _refused(
            "photo_heic",
            _(
                "This is a HEIC picture, which can't be read here. Send it as JPEG: on an iPhone choose Settings, "
                "Camera, Formats, Most Compatible."
            ),
        )
    return _refused("no_photo", _("This file is no picture that can be read. Send a JPEG, PNG or WebP."))


def _too_many_pixels() -> Refused:
    return _refused(
        "photo_too_large", _("The photo has more than 40 megapixels. Take it with a lower resolution.")
    )


def _refused(code: str, sentence: str) -> Refused:
    return Refused(code, sentence, status=422)


def _tilt(found: list[Any]) -> float:
    """How far the paper is turned, in radians: the mean of its square codes, which know their own top."""
    turned = [math.radians(barcode.orientation) for barcode in found if barcode.format in SQUARE]
    return math.atan2(sum(map(math.sin, turned)), sum(map(math.cos, turned))) if turned else 0.0


def _turned(barcode: Any, angle: float) -> tuple[float, float, float, str]:
    """Where the middle of a barcode is when the picture is turned, how large it is, and its text."""
    place = barcode.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    x, y = sum(corner.x for corner in corners) / 4, sum(corner.y for corner in corners) / 4
    height = math.dist((corners[0].x, corners[0].y), (corners[3].x, corners[3].y))
    width = math.dist((corners[0].x, corners[0].y), (corners[1].x, corners[1].y))
    sine, cosine = math.sin(angle), math.cos(angle)
    return x * cosine - y * sine, x * sine + y * cosine, max(height, width / 4), barcode.text
