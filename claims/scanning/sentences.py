"""What benches say about a scan itself, whatever they do with the device."""

from django.utils.translation import gettext as _

from claims.scanning.answers import WARN, Answer
from claims.scanning.scans import Scan

# So much of a scanned text is quoted.
QUOTED = 40


def notes(found: list[Scan]) -> list[Answer]:
    """What is to be said of the scanner itself: that it is set to another keyboard. Each once."""
    said = dict.fromkeys(scan.guess.sentence for scan in found if scan.guess and scan.is_sure and scan.is_known)
    return [Answer(WARN, "keyboard", sentence) for sentence in said]


def unknown(scan: Scan) -> str:
    """What is said of a text that stands for nothing."""
    said = _("No device matches %(text)s.") % {"text": shown(scan.text)}
    return f"{said} {scan.guess.sentence}" if scan.guess else said


def unsure(scan: Scan) -> str:
    """What is asked where a text stands for a unit on another keyboard only, and may be another unit as well."""
    said = _("No device matches %(typed)s. If your scanner's keyboard is set wrong, it is %(text)s. Is it?")
    return said % {"typed": shown(scan.guess.typed) if scan.guess else "", "text": shown(scan.text)}


def shown(text: str) -> str:
    """A scanned text as a sentence quotes it: not longer than the sentence itself."""
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 1]}…"
