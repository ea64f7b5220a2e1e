"""Reads all QR codes and barcodes in a photo of a label, a sheet of labels or a box."""

import math
from io import BytesIO
from typing import Any

import zxingcpp
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from console.errors import Refused
from console.pictures import TooLarge, open_picture

# Phone photos have 12 to 50 megapixels and 3 to 12 MB. They are scaled down to MOST_PIXELS, because a larger picture
# of pure noise would take longer than a person waits.
MOST_BYTES, MOST_PIXELS = 15 * 1024 * 1024, 12_500_000
PICTURES = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
# Smaller pictures have no room for a code.
LEAST_SIDE = 16
ORIENTATION = 0x0112
_Format = zxingcpp.BarcodeFormat
SQUARE = (_Format.QRCode, _Format.DataMatrix)
FORMATS: Any = (*SQUARE, _Format.Code128, _Format.EANUPC)
# Pictures of newer Apple and Android cameras, by the brand in their first box (ISO/IEC 23008-12).
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def read(data: bytes) -> list[str]:
    """Return the texts of all QR, Data Matrix, Code 128 and EAN codes in a photo, in reading order, deduplicated.

    The photo may be rotated, in itself or by its EXIF data: the order is that on the paper. Returns an empty list if
    there are no codes. Raises Refused (422) if the data is not a picture, is larger than 15 MB, or has too many pixels
    to decode: the limit is about 100 megapixels for an ordinary JPEG, 16 for a PNG and 4 for a WebP.
    """
    return in_order(zxingcpp.read_barcodes(_grey(data), formats=FORMATS, text_mode=zxingcpp.TextMode.Plain))


def in_order(found: list[Any]) -> list[str]:
    """Return the texts of barcodes in reading order, deduplicated."""
    tilt = _tilt(found)
    placed = sorted((_turned(barcode, -tilt) for barcode in found), key=lambda place: place[1])
    lines: list[list[tuple[float, float, float, str]]] = []
    for place in placed:
        # A barcode is on the current line if it is less than half a code below the first one.
        if lines and place[1] - lines[-1][0][1] < max(place[2], lines[-1][0][2]) / 2:
            lines[-1].append(place)
        else:
            lines.append([place])
    texts = (text.strip() for line in lines for _x, _y, _size, text in sorted(line))
    return list(dict.fromkeys(text for text in texts if text))


def _grey(data: bytes) -> Image.Image:
    """Return the picture upright, in greyscale and with at most MOST_PIXELS.

    Raises Refused (422) if it can't be read.
    """
    if len(data) > MOST_BYTES:
        raise _refused("photo_too_large", _("The photo is larger than 15 MB. Take it at a lower resolution."))
    try:
        # JPEGs are decoded directly to greyscale, and no larger than necessary.
        picture = open_picture(BytesIO(data), PICTURES, most_pixels=2 * MOST_PIXELS, mode="L")
        if min(picture.size) < LEAST_SIDE:
            raise _no_picture(data)
        upright, picture = picture.getexif().get(ORIENTATION), _opaque(picture)
        if picture.width * picture.height > MOST_PIXELS:
            share = math.sqrt(MOST_PIXELS / (picture.width * picture.height))
            smaller = (round(picture.width * share), round(picture.height * share))
            picture = picture.resize(smaller, Image.Resampling.BILINEAR)
        picture.getexif()[ORIENTATION] = upright or 1
        return ImageOps.exif_transpose(picture)
    except TooLarge:
        raise _too_large() from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError):
        raise _no_picture(data) from None


def _no_picture(data: bytes) -> Refused:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        return _refused(
            "photo_heic",
            _(
                "HEIC pictures can't be read here. Send it as a JPEG: on an iPhone, choose Settings, Camera, "
                "Formats, Most Compatible."
            ),
        )
    return _refused("no_photo", _("This file can't be read as a picture. Send a JPEG, PNG or WebP."))


def _opaque(picture: Image.Image) -> Image.Image:
    """Return the picture in greyscale, with transparent areas on white."""
    if not picture.has_transparency_data:
        return picture if picture.mode == "L" else picture.convert("L")
    if picture.mode not in {"RGBA", "LA"}:
        picture = picture.convert("RGBA")
    return Image.composite(picture.convert("L"), Image.new("L", picture.size, 255), picture.getchannel("A"))


def _too_large() -> Refused:
    return _refused(
        "photo_too_large",
        _("The photo has too many pixels. Take it at a lower resolution, or send it as an ordinary JPEG."),
    )


def _refused(code: str, sentence: str) -> Refused:
    return Refused(code, sentence, status=422)


def _tilt(found: list[Any]) -> float:
    """Return the rotation of the paper in radians: the mean of the square codes, which know their own top."""
    turned = [math.radians(barcode.orientation) for barcode in found if barcode.format in SQUARE]
    return math.atan2(sum(map(math.sin, turned)), sum(map(math.cos, turned))) if turned else 0.0


def _turned(barcode: Any, angle: float) -> tuple[float, float, float, str]:
    """Return the centre (x, y) of a barcode after rotating the picture by `angle`, its size and its text."""
    place = barcode.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    x, y = sum(corner.x for corner in corners) / 4, sum(corner.y for corner in corners) / 4
    height = math.dist((corners[0].x, corners[0].y), (corners[3].x, corners[3].y))
    width = math.dist((corners[0].x, corners[0].y), (corners[1].x, corners[1].y))
    sine, cosine = math.sin(angle), math.cos(angle)
    return x * cosine - y * sine, x * sine + y * cosine, max(height, width / 4), barcode.text
