"""The packing list of a shipment: a PDF for the box and a table for export."""

from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.utils import formats, timezone
from django.utils.html import escape
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from claims.models import Shipment
from claims.paper import fonts
from claims.paper.drawing import QrCode
from claims.profiles.printed import Label
from claims.shipments import packing
from claims.shipments.reconciliation import fates
from console.downloads import File, Table

GREY = colors.HexColor("#60707a")
# Longer lists refer to the exported file instead.
MOST_SERIALS = 5_000


def table(shipment: Shipment) -> Table:
    """Return the devices of a shipment as a table, each with what became of it."""
    header = [
        _("Shipment"),
        _("Order"),
        _("Customer"),
        _("Product"),
        _("Serial number"),
        _("Device name"),
        _("Packed"),
        _("Packed by"),
        _("Current owner"),
        _("Outcome"),
    ]
    words = {
        "owned": _("owned by the customer"),
        "returned": _("returned"),
        "waiting": _("not claimed yet"),
        "missing": _("missing"),
    }
    rows = fates(shipment).select_related("device__product", "device__customer").order_by("pk")

    def lines() -> Iterator[list[Any]]:
        for unit in rows.iterator(chunk_size=2_000):
            device, owner = unit.device, unit.device.customer
            yield [
                shipment.code,
                shipment.order_number,
                str(shipment.customer),
                device.product.name,
                device.serial_number,
                device.device_name,
                unit.packed_at,
                unit.packed_by,
                str(owner or ""),
                words[unit.fate] if shipment.shipped_at or unit.claim_id else "",
            ]

    return shipment.code, header, lines()


def as_pdf(shipment: Shipment, label: Label | None = None, *, is_drawn: bool = True) -> File:
    """Return the packing list as an A4 PDF, with the claim code of the box if a label is given.

    With `is_drawn=False`, for a HEAD request, the file is empty.
    """
    content = draw(shipment, label) if is_drawn else b""
    return File(content, "application/pdf", f"{shipment.code}.pdf", cache="private, no-store")


def draw(shipment: Shipment, label: Label | None = None) -> bytes:
    """Return the PDF: brand, customer, order, counts by product, serial numbers and the claim code if a label is given.

    Above 5,000 devices, a sentence replaces the serial numbers.
    """
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=shipment.code,
        author=shipment.organization.brand,
        invariant=1,
    )
    document.build(_story(shipment, label), onFirstPage=_footer(shipment), onLaterPages=_footer(shipment))
    return file.getvalue()


def _story(shipment: Shipment, label: Label | None) -> list[Any]:
    """Return what stands on the pages, from the top down."""
    brand = _line(shipment.organization.brand, 11, bold=True)
    title = _line(_("Packing list %(code)s") % {"code": shipment.code}, 20, bold=True)
    story: list[Any] = [brand, Spacer(1, 6 * mm), title, Spacer(1, 5 * mm), _facts(shipment), Spacer(1, 6 * mm)]
    if label is not None:
        story += [_claim_box(label), Spacer(1, 6 * mm)]
    story += [_counts(shipment), Spacer(1, 6 * mm), _serials(shipment)]
    if unset := fonts.note(_texts(shipment)):
        story += [Spacer(1, 6 * mm), _line(unset, 9, grey=True)]
    return story


def _facts(shipment: Shipment) -> LongTable:
    """Return customer, order, address and date, without those that are empty."""
    at = timezone.localtime(shipment.shipped_at or timezone.now())
    facts = [
        (_("Customer"), str(shipment.customer)),
        (_("Order"), shipment.order_number),
        (_("Ship to"), shipment.ship_to),
        (_("Date"), formats.date_format(at, "j M Y")),
    ]
    return _table([[_line(name, 9, grey=True), _line(value, 10)] for name, value in facts if value], [32, 134])


def _counts(shipment: Shipment) -> LongTable:
    """Return how many devices of each product were ordered and are packed."""
    head = [_line(text, 9, grey=True) for text in (_("Product"), _("Ordered"), _("Packed"))]
    numbers = [
        [_line(c.product.name, 10), _line(c.expected if c.expected is not None else "–", 10), _line(c.packed, 10)]
        for c in packing.progress(shipment)
    ]
    return _table([head, *numbers], [106, 30, 30], ruled=True)


def _claim_box(label: Label) -> LongTable:
    """Return the claim code of the whole box as a QR code, a link and a code to type."""
    words = [
        _line(_("Scan to claim the whole box"), 13, bold=True),
        Spacer(1, 2 * mm),
        _line(_("All devices in this shipment will then be yours. They don't have to be switched on."), 10),
        Spacer(1, 3 * mm),
        _line(label.shown, 9, grey=True),
        Spacer(1, 1 * mm),
        _line(label.typed, 12, bold=True),
    ]
    return _table([[QrCode(label.canonical, 36 * mm), words]], [44, 122])


def _serials(shipment: Shipment) -> Any:
    """Return the table of serial numbers. Cells are plain strings: thousands of paragraphs would take minutes."""
    if shipment.unit_count > MOST_SERIALS:
        return _line(_("For the serial numbers, see the exported file of this shipment."), 10)
    rows = shipment.units.order_by("device__product__name_key", "device__serial_key", "pk")
    serials = [
        [str(number), _bare(serial), _bare(product)]
        for number, (serial, product) in enumerate(
            rows.values_list("device__serial_number", "device__product__name"), 1
        )
    ]
    titles = [_line(text, 9, grey=True) for text in ("", _("Serial number"), _("Product"))]
    return _table([titles, *serials], [14, 82, 70], ruled=True, repeat=1)


def _line(text: Any, size: float, *, bold: bool = False, grey: bool = False) -> Paragraph:
    face, shown = fonts.set_in(str(text), bold)
    return Paragraph(escape(shown).replace("\n", "<br/>"), _style(face, size, grey))


@lru_cache
def _style(face: str, size: float, grey: bool) -> ParagraphStyle:
    assert fonts.font(face)
    return ParagraphStyle(
        face, fontName=face, fontSize=size, leading=size * 1.35, textColor=GREY if grey else colors.black
    )


def _bare(text: str) -> str | Paragraph:
    """Return the text for a table cell, as a paragraph only if it needs a font other than the table's."""
    face, shown = fonts.set_in(text, False)
    return shown if face in {"Vera", "DejaVu"} else _line(text, 9)


def _face() -> str:
    """Return the name of the installed font that covers the most characters."""
    return next(face for face in ("DejaVu", "Vera") if fonts.font(face))


def _texts(shipment: Shipment) -> list[str]:
    """Return the texts on the list, but only those serial numbers that are not printable ASCII."""
    odd = shipment.units.filter(device__serial_number__regex=r"[^ -~]")
    products = shipment.units.order_by().values_list("device__product__name", flat=True).distinct()
    return [
        str(shipment.customer),
        shipment.order_number,
        shipment.ship_to,
        shipment.organization.brand,
        *products,
        *odd.values_list("device__serial_number", flat=True)[:MOST_SERIALS],
    ]


def _footer(shipment: Shipment) -> Any:
    def write(canvas: Any, document: Any) -> None:
        canvas.setFont(_face(), 8)
        canvas.setFillColor(GREY)
        canvas.drawString(22 * mm, 12 * mm, f"{shipment.organization.brand} · {shipment.code}")
        canvas.drawRightString(A4[0] - 22 * mm, 12 * mm, str(document.page))

    return write


def _table(rows: list[list[Any]], widths: list[int], *, ruled: bool = False, repeat: int = 0) -> LongTable:
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONT", (0, 0), (-1, -1), _face(), 9),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    if ruled:
        style.append(("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#d5dde0")))
    return LongTable(
        rows, colWidths=[width * mm for width in widths], style=TableStyle(style), repeatRows=repeat, hAlign="LEFT"
    )
