"""Codes are read from photos: one label, a whole sheet, rotated, compressed; other files are refused."""

import struct
import zlib
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from claims.scanning import photos as reading
from console.errors import Refused

LINKS = [f"HTTPS://CUSTODY.EXAMPLE.COM/C/{number:026d}" for number in range(65)]
FORMAT = zxingcpp.BarcodeFormat


def symbol(text: str, kind=FORMAT.QRCode, size: tuple[int, int] | None = None, **options) -> Image.Image:
    picture = Image.fromarray(zxingcpp.create_barcode(text, kind, **options).to_image(scale=4))
    return picture.resize(size, Image.Resampling.NEAREST) if size else picture


def sheet(columns: int = 5, rows: int = 13, side: int = 200) -> Image.Image:
    """Return an A4 sheet at 300 dpi with the code of each label."""
    paper = Image.new("L", (2480, 3508), 255)
    for number in range(columns * rows):
        y, x = divmod(number, columns)
        paper.paste(
            symbol(LINKS[number], size=(side, side), ec_level="M"), (60 + x * 2360 // columns, 60 + y * 3388 // rows)
        )
    return paper


def file(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def refusal(data: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        reading.read(data)
    return caught.value


def test_one_label_is_read():
    assert reading.read(file(symbol(LINKS[3]))) == [LINKS[3]]


@pytest.mark.parametrize("angle", [0, 7, 90, 187])
def test_a_sheet_of_65_labels_is_read_in_order_at_any_angle(angle):
    photo = sheet().rotate(angle, expand=True, fillcolor=190, resample=Image.Resampling.BICUBIC)
    assert reading.read(file(photo, "JPEG", quality=60)) == LINKS


def test_every_kind_of_code_on_a_box_is_read():
    paper = Image.new("L", (900, 1000), 255)
    paper.paste(symbol(LINKS[0], size=(200, 200)), (20, 20))
    paper.paste(symbol("AQM26-100001", FORMAT.DataMatrix, size=(200, 200)), (400, 20))
    paper.paste(symbol("AQM26-100002", FORMAT.Code128, size=(700, 120)), (20, 400))
    paper.paste(symbol("4006381333931", FORMAT.EAN13, size=(400, 120)), (20, 700))
    assert reading.read(file(paper)) == [LINKS[0], "AQM26-100001", "AQM26-100002", "4006381333931"]


def test_a_duplicate_code_counts_once():
    paper = Image.new("L", (600, 300), 255)
    paper.paste(symbol(LINKS[0], size=(200, 200)), (20, 20))
    paper.paste(symbol(LINKS[0], size=(200, 200)), (320, 20))
    assert reading.read(file(paper)) == [LINKS[0]]


def test_the_orientation_of_the_camera_is_respected():
    paper = Image.new("L", (300, 900), 255)
    paper.paste(symbol("AQM26-1", FORMAT.Code128, size=(280, 100)), (10, 50))
    paper.paste(symbol("AQM26-2", FORMAT.Code128, size=(280, 100)), (10, 650))
    exif = Image.Exif()
    exif[274] = 8  # The sensor was turned on its side: the viewer rotates the picture back by 90°.
    turned = paper.rotate(-90, expand=True)
    assert reading.read(file(turned, "JPEG", exif=exif)) == ["AQM26-1", "AQM26-2"]


def test_a_picture_with_a_transparent_background_is_read_as_if_on_paper():
    drawn = symbol(LINKS[5]).convert("RGBA")
    drawn.putalpha(symbol(LINKS[5]).point(lambda value: 255 - value))
    assert reading.read(file(drawn)) == [LINKS[5]]


def test_a_photo_without_a_code_returns_nothing():
    assert reading.read(file(Image.new("RGB", (400, 300), "grey"), "JPEG")) == []


@pytest.mark.parametrize("data", [b"", b"serial_number\nAQM26-1\n", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"<svg/>"])
def test_a_file_that_is_not_a_picture_is_refused(data):
    refused = refusal(data)
    assert (refused.code, refused.status) == ("no_photo", 422)
    assert refused.sentence == "This file can't be read as a picture. Send a JPEG, PNG or WebP."


def test_a_truncated_file_is_refused():
    assert refusal(file(sheet(), "JPEG")[:2_000]).code == "no_photo"


def test_a_heic_picture_is_refused_with_a_hint_on_the_format():
    refused = refusal(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100)
    assert (refused.code, refused.status) == ("photo_heic", 422)
    assert "Most Compatible" in refused.sentence


def test_a_file_above_15_megabytes_is_refused_unopened(monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *a, **k: pytest.fail("it was opened"))
    assert refusal(b"\xff\xd8\xff" + b"\0" * 15 * 1024 * 1024).code == "photo_too_large"


@pytest.mark.parametrize("side", [6_400, 60_000])
def test_a_small_file_with_too_many_pixels_is_refused_before_decoding(side, monkeypatch):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes((side // 8 + 1) * 64)))
    monkeypatch.setattr(Image.Image, "load", lambda *a: pytest.fail("it was unpacked"))
    refused = refusal(b"\x89PNG\r\n\x1a\n" + header + rows + chunk(b"IEND", b""))
    assert (
        refused.sentence
        == "The photo has too many pixels. Take it at a lower resolution, or send it as an ordinary JPEG."
    )
