"""Messages about scans that all workbenches share."""

from django.utils.translation import gettext as _

from claims.scanning.answers import WARN, Answer
from claims.scanning.scans import Scan

# The most characters of a scanned text that are quoted.
QUOTED = 40


def notes(found: list[Scan]) -> list[Answer]:
    """Return warnings about scanners with a wrong keyboard layout, deduplicated."""
    said = dict.fromkeys(scan.guess.sentence for scan in found if scan.guess and scan.is_sure and scan.is_known)
    return [Answer(WARN, "keyboard", sentence) for sentence in said]


def unknown(scan: Scan) -> str:
    """Return the message about a scan that matches nothing."""
    said = _("No device matches %(text)s.") % {"text": shown(scan.text)}
    return f"{said} {scan.guess.sentence}" if scan.guess else said


def unsure(scan: Scan) -> str:
    """Return the question about a scan that matches a device only with another keyboard layout."""
    said = _("No device matches %(typed)s. With another keyboard layout, it would be %(text)s. Is that right?")
    return said % {"typed": shown(scan.guess.typed) if scan.guess else "", "text": shown(scan.text)}


def shown(text: str) -> str:
    """Return a scanned text for quoting, shortened to 40 characters."""
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 1]}…"
