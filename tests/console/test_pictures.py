"""Pictures that people send cost neither memory nor time before they are refused, and little where they are read."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
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
# Reads each picture that it is told in a process of its own, which is a copy of one that has imported everything.
SCRIPT = """
import gc, io, json, os, sys, django
django.setup()
from pathlib import Path
from claims.scanning import photos as reading
from console.actions import organizations
from console.errors import Refused
ways = {
    "photo": reading.read,
    "logo": lambda data: organizations._redrawn(io.BytesIO(data)),
    "wasteful": lambda data: b"x" * (100 * 1024 * 1024),
}
status = lambda: [line.split() for line in open("/proc/self/status") if line.startswith("Vm")]
sizes = lambda: {fields[0].rstrip(":"): int(fields[1]) for fields in status()}
def measure(path, way):
    data = Path(path).read_bytes()
    before = sizes()["VmRSS"]
    try:
        ways[way](data)
        code = ""
    except Refused as refusal:
        code = refusal.code
    print(json.dumps([code, (sizes()["VmHWM"] - before) / 1024]), flush=True)
gc.freeze()
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        measure(*json.loads(line))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture(scope="module")
def measure() -> Iterator[Callable[[Path, str], tuple[str, float]]]:
    """Read a picture in a new process: the code of the refusal, and the memory in MiB that reading took at its peak.

    It is the kernel's peak for the process, less what it holds before it reads.
    """
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:

        def ask(path: Path, way: str) -> tuple[str, float]:
            reader.stdin.write(json.dumps([str(path), way]) + "\n")
            reader.stdin.flush()
            return tuple(json.loads(reader.stdout.readline()))

        yield ask
        reader.stdin.close()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_refused_or_read_within_85_mib(name, tmp_path, measure):
    make, *expected = PICTURES[name]
    path = tmp_path / name
    path.write_bytes(make().getvalue())
    for way, code in zip(("photo", "logo"), expected, strict=True):
        found, peak = measure(path, way)
        assert (way, found) == (way, code)
        assert peak < 85, way


def test_what_a_reader_takes_is_measured_in_its_own_process(tmp_path, measure):
    """The negative control, and that one picture's peak is not the next one's."""
    path = tmp_path / "small.png"
    path.write_bytes(saved(Image.new("RGB", (10, 10)), "PNG").getvalue())
    # The kernel's count is a little behind.
    assert measure(path, "wasteful")[1] > 95
    assert measure(path, "logo")[1] < 50


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
