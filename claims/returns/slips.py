"""The slip of a return as PDF: its number as text and as a QR code for the workbench, and the address to send it to."""

import textwrap
from io import BytesIO

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from claims.models import Return
from claims.paper import fonts
from claims.paper.drawing import draw_qr
from claims.returns import choices
from console.downloads import File

LEFT, TOP, SIDE = 25 * mm, 272 * mm, 42 * mm


def as_file(returned: Return) -> File:
    """Return the slip as a file."""
    return File(draw(returned), "application/pdf", f"{returned.code}.pdf", cache="private, no-store")


def draw(returned: Return) -> bytes:
    """Return the slip as the bytes of a PDF with a single A4 page, in the reader's language."""
    organization = returned.organization
    settings = choices.settings_of(organization)
    canvas = Canvas(BytesIO(), pagesize=A4, pageCompression=1, invariant=1)
    canvas.setTitle(f"{returned.code} · {organization.brand}")
    canvas.setAuthor(organization.brand)
    y = _text(canvas, TOP, [organization.brand], size=12, bold=True)
    y = _text(canvas, y - 6 * mm, [_("Return %(code)s") % {"code": returned.code}], size=26, bold=True)
    y = _text(
        canvas, y - 2 * mm, _wrap(_("Put this page in the box so that we can identify your device."), 62), size=11
    )
    draw_qr(canvas, returned.code, A4[0] - LEFT - SIDE, TOP - SIDE + 4 * mm, SIDE)
    y -= 10 * mm
    for name, value in _facts(returned):
        _text(canvas, y, [name], size=9, grey=True)
        y = _text(canvas, y, _wrap(value, 56), size=11, x=LEFT + 42 * mm) - 2.5 * mm
    y = _text(canvas, y - 8 * mm, [_("Send to")], size=9, grey=True)
    lines = [*_lines(settings.address, 48)] or [
        organization.brand,
        _("Ask for the return address: %(contact)s")
        % {"contact": organization.support_email or organization.support_phone or organization.brand},
    ]
    y = _text(canvas, y - 2 * mm, lines, size=15, bold=True)
    if settings.note:
        y = _text(canvas, y - 8 * mm, _lines(settings.note, 78), size=11)
    contact = " · ".join(
        filter(None, [organization.support_phone, organization.support_email, organization.support_note])
    )
    if contact:
        _text(canvas, 20 * mm, _wrap(contact, 95), size=9, grey=True)
    texts = [organization.brand, *(value for _name, value in _facts(returned)), *lines, settings.note, contact]
    if unset := fonts.note(texts):
        _text(canvas, 10 * mm, [unset], size=8, grey=True)
    canvas.showPage()
    return canvas.getpdfdata()


def _facts(returned: Return) -> list[tuple[str, str]]:
    device, asked = returned.device, returned.requested_at or returned.created_at
    facts = [
        (_("Device"), device.product.name),
        (_("Serial number"), device.serial_number),
        (_("From"), returned.customer.name if returned.customer else ""),
        (_("Reason"), choices.in_words(returned.reason)),
        (_("Note"), returned.customer_note[:400]),
        (_("Date"), formats.date_format(timezone.localtime(asked), "DATE_FORMAT")),
    ]
    return [(name, value) for name, value in facts if value]


def _text(
    canvas: Canvas, y: float, lines: list[str], *, size: int, bold: bool = False, grey: bool = False, x: float = LEFT
) -> float:
    """Draw the lines one below the other, and return the position of the next line."""
    canvas.setFillGray(0.4 if grey else 0)
    for line in lines:
        face, shown = fonts.set_in(line, bold)
        assert fonts.font(face)
        canvas.setFont(face, size)
        canvas.drawString(x, y, shown)
        y -= size * 1.3
    return y


def _lines(text: str, width: int) -> list[str]:
    return [line for part in text.splitlines() for line in (_wrap(part, width) or [""])]


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), width)
