"""Pictures that people send cost neither memory nor time before they are refused, and little where they are read."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from console.pictures import TooLarge, open_picture

ANY = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
ROOT = Path(__file__).parent.parent.parent


def saved(picture: Image.Image, kind: str, **options) -> io.BytesIO:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    buffer.seek(0)
    return buffer


def noise(width: int, height: int, strength: int = 50) -> Image.Image:
    return Image.effect_noise((width, height), strength)


def full_of_notes() -> io.BytesIO:
    notes = PngImagePlugin.PngInfo()
    for number in range(60):
        notes.add_text(f"note{number}", "x" * 1_000_000, zip=True)
    return saved(Image.new("RGB", (100, 100)), "PNG", pnginfo=notes)


# By its name: what makes it, and whether it is too large for a photo and for a logo.
PICTURES = {
    "39-megapixels.jpg": (lambda: saved(noise(6300, 6300).convert("RGB"), "JPEG", quality=40), "", ""),
    "39-megapixels.png": (lambda: saved(Image.new("RGB", (6300, 6300)), "PNG"), "photo_too_large", "too_large"),
    "39-megapixels.webp": (lambda: saved(Image.new("RGB", (6300, 6300)), "WEBP"), "photo_too_large", "too_large"),
    "39-megapixels-progressive.jpg": (
        lambda: saved(Image.new("RGB", (6300, 6300)), "JPEG", progressive=True),
        "photo_too_large",
        "too_large",
    ),
    "12-megapixels-progressive.jpg": (lambda: saved(noise(4000, 3000), "JPEG", progressive=True), "", ""),
    "9-megapixels-clear.png": (lambda: saved(Image.new("RGBA", (3000, 3000), (9, 9, 9, 99)), "PNG"), "", ""),
    "16-megapixels.png": (lambda: saved(Image.new("RGB", (4000, 4000)), "PNG"), "", ""),
    "32-megapixels-grey.png": (lambda: saved(Image.new("L", (8000, 4000)), "PNG"), "", ""),
    "64-megapixels-of-a-palette.png": (
        lambda: saved(Image.new("P", (16000, 4000)), "PNG"),
        "photo_too_large",
        "too_large",
    ),
    "one-pixel-wide.png": (lambda: saved(Image.new("RGB", (1, 16_000_000)), "PNG"), "photo_too_large", "too_large"),
    "four-megapixels.webp": (lambda: saved(noise(2000, 2000), "WEBP", quality=5, method=0), "", ""),
    "notes.png": (full_of_notes, "no_photo", "no_picture"),
}
SCRIPT = """
import io, json, resource, sys, django
django.setup()
from pathlib import Path
from claims.scanning import photos as reading
from console.actions import organizations
from console.errors import Refused
ways = {"photo": reading.read, "logo": lambda data: organizations._redrawn(io.BytesIO(data))}
data = Path(sys.argv[1]).read_bytes()
status = lambda: [line.split() for line in open("/proc/self/status") if line.startswith("Vm")]
sizes = lambda: {fields[0].rstrip(":"): int(fields[1]) for fields in status()}
before = sizes()["VmRSS"]
try:
    ways[sys.argv[2]](data)
    code = ""
except Refused as refusal:
    code = refusal.code
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([code, (sizes()["VmHWM"] - before) / 1024, usage.ru_utime]))
"""


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_refused_or_read_within_85_mib(name, tmp_path):
    """The kernel's peak for a new process, less what it holds before it reads: the product with all that it imports."""
    make, *expected = PICTURES[name]
    path = tmp_path / name
    path.write_bytes(make().getvalue())
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
    for way, code in zip(("photo", "logo"), expected, strict=True):
        command = [sys.executable, "-c", SCRIPT, str(path), way]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True)
        found, peak, _seconds = json.loads(done.stdout)
        assert (way, found) == (way, code)
        assert peak < 85, way


def test_a_large_jpeg_is_unpacked_smaller_and_a_small_one_as_it_is():
    large = open_picture(saved(Image.new("RGB", (4000, 4000)), "JPEG"), ANY, most_pixels=5_000_000, mode="L")
    assert (large.size, large.mode) == ((2000, 2000), "L")
    small = open_picture(saved(Image.new("RGB", (4000, 4000)), "JPEG"), ANY, most_pixels=16_000_000, mode="L")
    assert small.size == (4000, 4000)


def test_nothing_is_unpacked_to_see_how_large_a_picture_is(monkeypatch):
    file = saved(Image.new("1", (10, 20_000)), "BMP")
    monkeypatch.setattr(Image.Image, "load", lambda *_a: pytest.fail("it was unpacked"))
    with pytest.raises(TooLarge):
        open_picture(file, ANY, most_pixels=1)
