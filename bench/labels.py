"""A thousand device labels as a PDF against the bare cost of encoding and drawing; and ten thousand by the worker.

The floor is zxing-cpp alone, which encodes the QR codes, plus reportlab alone, which puts the same codes on the same
pages as prepared images of one bit per module. Custody reads the devices, derives their codes, writes four lines on
each label, and writes the log.
"""

import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import zxingcpp
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from bench import timing
from bench.data import settle
from bench.handover import stock as make_stock
from bench.report import Line, milliseconds, per_second
from claims.labels import actions as labels
from claims.labels.drawing import POINT, Options
from claims.labels.files import STORE
from claims.models import ClaimCode, LabelSheet
from claims.profiles import printed
from claims.scanning import photos as reading
from console import operations
from console.models.operation import OperationState

COUNT, MANY = 1_000, 10_000
MOST, MEMORY = 2.0, 150.0
OPTIONS = Options("L7160", "Scan to claim")
DPI = 200


def encode(links: list[str]) -> list[Any]:
    """Run the encoder's floor: nothing but the codes."""
    return [
        zxingcpp.create_barcode(link, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(
            scale=1, add_quiet_zones=False
        )
        for link in links
    ]


def draw(pictures: list[Image.Image]) -> bytes:
    """Run the drawing's floor: prepared pictures on pages, at the positions of the same label sheet, with no text."""
    sheet, file = OPTIONS.sheet, BytesIO()
    canvas = Canvas(file, pagesize=tuple(side / POINT for side in sheet.page), invariant=1, pageCompression=1)
    side = sheet.side / POINT
    for number, picture in enumerate(pictures):
        if number and number % sheet.per_page == 0:
            canvas.showPage()
        x, y = sheet.place(number % sheet.per_page)
        canvas.drawImage(ImageReader(picture), x / POINT, (sheet.page[1] - y) / POINT - side, side, side)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def scan(data: bytes) -> list[str]:
    """Return the links of a PDF, as a scanner reads them from paper."""
    import pypdfium2

    found: list[str] = []
    document = pypdfium2.PdfDocument(data)
    for page in document:
        picture = page.render(scale=DPI / 72, grayscale=True).to_pil()
        found += reading.in_order(zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode))
    document.close()
    return found


def by_worker(ids: list[int], by: Any) -> int:
    """Run the operation as a person starts it, with its file and its lines in the log. Returns the id of the sheet."""
    sheet = labels.start(ids, profile_id=None, form="pdf", options=OPTIONS, by=by)
    operations.run(sheet.operation_id)
    return sheet.pk


def content(sheet_id: int) -> bytes:
    """Return the file that the worker created."""
    sheet = LabelSheet.objects.select_related("operation").get(pk=sheet_id)
    assert sheet.operation.state == OperationState.DONE, sheet.operation.sentence
    return STORE.path_of(sheet.file_name).read_bytes()


def measure(count: int = COUNT) -> Iterator[Line]:
    """Measure Custody and the floor in turns, scan every code, and measure ten thousand labels in a fresh worker."""
    held = make_stock(MANY)
    ids, by = held.ids[:count], held.by
    codes = ClaimCode.objects.filter(device__in=ids).select_related("profile__domain")
    links = {code.device_id: label.canonical for code in codes if (label := printed.label(code))}
    wanted = [links[pk] for pk in ids]
    pictures = [Image.fromarray(code).convert("1") for code in encode(wanted)]
    settle()
    took, encoding, drawing = timing.interleaved(
        lambda: by_worker(ids, by), lambda: encode(wanted), lambda: draw(pictures), rounds=7, most_seconds=30
    )
    assert scan(content(by_worker(ids, by))) == wanted, "a label does not decode"
    floor = encoding + drawing
    yield Line(
        f"{count:,} unit labels as PDF by the worker, each read at {DPI} dpi",
        milliseconds(took),
        milliseconds(floor),
        took / floor,
        most=MOST,
    )
    yield from _many(held.ids, by)


def _many(ids: list[int], by: Any) -> Iterator[Line]:
    sheet = labels.start(ids, profile_id=None, form="pdf", options=OPTIONS, by=by)
    command = [sys.executable, "-m", "bench.labels_once", str(sheet.operation_id)]
    seconds, memory = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-2:]
    size = len(content(sheet.pk)) / 2**20
    yield Line(f"{len(ids):,} unit labels by the worker", per_second(len(ids), float(seconds), "labels"), "–")
    yield Line(
        f"{len(ids):,} unit labels ({size:.1f} MiB): largest size in memory",
        f"{memory} MiB",
        "–",
        float(memory),
        most=MEMORY,
        unit="MiB",
    )
