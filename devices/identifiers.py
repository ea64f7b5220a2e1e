"""The identifiers of a device: cleans and checks each, and explains in one sentence what is wrong.

Every `clean_` function takes the text as it was typed or as the file contains it, and returns the clean value. It
raises `Unfit` with a sentence for people. Blanks around a value are dropped. An empty value is unfit, except for notes:
callers skip values that may be missing.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.export import harmless
from console.fields import fold
from console.tabular import NumberCell

MAX_SERIAL_NUMBER = 64
MIN_DEVICE_NAME, MAX_DEVICE_NAME = 6, 64
MAX_HARDWARE_REVISION = 40
MIN_SECRET, MAX_SECRET = 16, 200
MAX_NOTES = 2000
FIRST_YEAR = 1990
# A factory may announce the devices of next year.
FUTURE = timedelta(days=366)

# The subjects of the sentences, translated only when one is needed.
_SERIAL_NUMBER, _THIS_SERIAL_NUMBER = gettext_lazy("The serial number"), gettext_lazy("this serial number")
_DEVICE_NAME = gettext_lazy("The device name")
_IMEI, _THIS_IMEI = gettext_lazy("The IMEI"), gettext_lazy("this IMEI")
_ICCID, _THIS_ICCID = gettext_lazy("The ICCID"), gettext_lazy("this ICCID")
_MAC_ADDRESS = gettext_lazy("The MAC address")
_REVISION = gettext_lazy("The hardware revision")
_DATE = gettext_lazy("The date")
_SECRET, _THIS_SECRET = gettext_lazy("The secret"), gettext_lazy("this secret")
_NOTE = gettext_lazy("The note")

# Invisible, though Unicode classes them as letters and marks. All others are in the categories C and Z.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# How a spreadsheet writes a long number into CSV.
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[Ee]\+\d{1,3}", re.ASCII)
_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})" + _TIME, re.ASCII)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_GERMAN_DATE = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})" + _TIME, re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4})" + _TIME, re.ASCII)
_PAIR = "[0-9A-Fa-f]{2}"
_MAC = re.compile(
    rf"{_PAIR}(?::{_PAIR}){{5}}(?:(?::{_PAIR}){{2}})?|{_PAIR}(?:-{_PAIR}){{5}}(?:(?:-{_PAIR}){{2}})?"
    rf"|{_PAIR}{_PAIR}(?:\.{_PAIR}{_PAIR}){{2,3}}|(?:{_PAIR}){{6}}(?:{_PAIR}{_PAIR})?"
)
# The address of one interface in the stored spelling, which is what most factories write.
_CLEAN_MAC = re.compile(r"[0-9A-F][02468ACE](?::[0-9A-F]{2}){5}")
_NO_MAC = "00:00:00:00:00:00"
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SIGNS = re.compile("[!-~]+")
# For each digit as a byte, the sum of the digits of its double.
_DOUBLED = bytes.maketrans(b"0123456789", bytes([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]))
_PLAIN = bytes.maketrans(b"0123456789", bytes(range(10)))
# The day from which Excel counts, for days after February 1900.
_EXCEL_EPOCH = date(1899, 12, 30)
_PLAIN_NUMBER = re.compile(r"[+-]?[\d\s().,/-]*(?:\d[eE][+-]?\d+)?\s?%?")
_MARKUP = re.compile(r"<!--|<[/!?]?[a-z]|&(?:#\d+|#x[0-9a-f]+|[a-z]{2,8});|javascript:", re.IGNORECASE)


class Unfit(ValueError):
    """Raised for a value that can't be accepted; `sentence` says why, for people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = str(sentence)


def clean_serial_number(raw: str) -> str:
    """Return 1 to 64 visible characters in Unicode's composed form. Single spaces may separate them."""
    _refuse_rounded(raw, _THIS_SERIAL_NUMBER)
    serial = _visible(raw, _SERIAL_NUMBER, MAX_SERIAL_NUMBER)
    # Some characters fold to as many as eighteen, and the folded form has to be stored too.
    if not serial.isascii() and (count := len(fold(serial))) > MAX_SERIAL_NUMBER:
        raise Unfit(_too_long(_SERIAL_NUMBER, MAX_SERIAL_NUMBER, count))
    return serial


def clean_device_name(raw: str) -> str:
    """Return 6 to 64 ASCII letters, digits, hyphens or underscores."""
    name = _printable(raw, _DEVICE_NAME)
    strange = re.search(r"[^A-Za-z0-9_-]", name)
    if strange and strange[0] == " ":
        raise Unfit(_("A device name must have 6 to 64 letters, digits, - or _; this one contains a space."))
    if strange:
        sentence = _("A device name must have 6 to 64 letters, digits, - or _; this one contains “%(character)s”.")
        raise Unfit(sentence % {"character": strange[0]})
    if not MIN_DEVICE_NAME <= len(name) <= MAX_DEVICE_NAME:
        sentence = _("A device name must have 6 to 64 letters, digits, - or _; this one has %(count)s.")
        raise Unfit(sentence % {"count": len(name)})
    return name


def clean_imei(raw: str) -> str:
    """Return 15 digits, the last of which is the Luhn check digit (3GPP TS 23.003, 6.2.1 and annex B).

    Spaces, hyphens and slashes between them are dropped.
    """
    _refuse_rounded(raw, _THIS_IMEI)
    text = _printable(raw, _IMEI)
    digits = _without_decimals(raw, text).replace(" ", "").replace("-", "").replace("/", "")
    if not _is_digits(digits):
        raise Unfit(_("%(text)s is not an IMEI: it should have 15 digits.") % {"text": _shown(text)})
    if len(digits) != 15:
        raise Unfit(_("%(digits)s has %(count)s digits; an IMEI has 15.") % _counted(digits))
    if not digits.strip("0"):
        raise Unfit(_("%(digits)s is not an IMEI: it is all zeros.") % {"digits": digits})
    if digits[-1] != (right := luhn_digit(digits[:-1])):
        sentence = _("%(digits)s is not an IMEI: its check digit should be %(right)s.")
        raise Unfit(sentence % {"digits": digits, "right": right})
    return digits


def clean_iccid(raw: str) -> str:
    """Return 19 or 20 digits that begin with 89 and end with the Luhn check digit (ITU-T E.118).

    Spaces and hyphens are dropped, and so is the F with which SIM files pad 19 digits.
    """
    _refuse_rounded(raw, _THIS_ICCID)
    text = _printable(raw, _ICCID)
    digits = _without_decimals(raw, text).replace(" ", "").replace("-", "")
    if len(digits) == 20 and digits[-1] in "Ff":
        digits = digits[:-1]
    if not _is_digits(digits):
        raise Unfit(_("%(text)s is not an ICCID: it should have 19 or 20 digits.") % {"text": _shown(text)})
    if len(digits) not in {19, 20}:
        raise Unfit(_("%(digits)s has %(count)s digits; an ICCID has 19 or 20.") % _counted(digits))
    if not digits.startswith("89"):
        raise Unfit(_("%(digits)s is not an ICCID: it should begin with 89.") % {"digits": digits})
    if digits[-1] != (right := luhn_digit(digits[:-1])):
        sentence = _("%(digits)s is not an ICCID: its check digit should be %(right)s.")
        raise Unfit(sentence % {"digits": digits, "right": right})
    return digits


def clean_mac(raw: str) -> str:
    """Return the EUI-48 or EUI-64 of one interface, as E0:4F:43:75:E4:55 (IEEE 802, 8).

    Octets may be separated by : or -, groups of four digits by a dot, or by nothing. Group addresses, the broadcast
    address and zeros are refused.
    """
    if _CLEAN_MAC.fullmatch(raw) and raw != _NO_MAC:
        return str(raw)
    text = _printable(raw, _MAC_ADDRESS)
    if _SCIENTIFIC.fullmatch(text) or (isinstance(raw, NumberCell) and len(text) != 12):
        raise Unfit(_("Excel turned this MAC address into a number. Format the column as text and export again."))
    if not _MAC.fullmatch(text):
        sentence = _("%(text)s is not a MAC address: it should have 12 or 16 hexadecimal digits.")
        raise Unfit(sentence % {"text": _shown(text)})
    digits = text.upper().replace(":", "").replace("-", "").replace(".", "")
    address = bytes.fromhex(digits).hex(":").upper()
    if not digits.strip("0"):
        raise Unfit(_("%(address)s is not a device's address: it is all zeros.") % {"address": address})
    if not digits.strip("F"):
        raise Unfit(_("%(address)s is not a device's address: it is the broadcast address.") % {"address": address})
    if int(digits[:2], 16) & 1:
        raise Unfit(_("%(address)s is not a device's address: it is a multicast address.") % {"address": address})
    return address


def clean_hardware_revision(raw: str) -> str:
    """Return 1 to 40 visible characters. Single spaces may separate them."""
    return clean_line(raw, subject=_REVISION, limit=MAX_HARDWARE_REVISION)


def clean_line(raw: str, *, subject: Any, limit: int) -> str:
    """Return 1 to `limit` visible characters. Single spaces may separate them. `subject` begins the error sentences."""
    return _visible(raw, subject, limit)


def clean_manufactured_on(raw: str, *, today: date | None = None) -> date:
    """Return a day from 1990 to 366 days after `today` (by default, the current day in UTC). Drops a time of day.

    Accepts 2026-11-02, 2026/11/02, 20261102, the German 2.11.2026, Excel's day numbers (`NumberCell` only), and
    11/25/2026 or 25-11-2026 if there is no doubt which number is the month.
    """
    text = _printable(raw, _DATE)
    day = _read_date(text, isinstance(raw, NumberCell))
    if day is None:
        raise Unfit(_("%(text)s is not a date. Write it like 2026-11-30.") % {"text": _shown(text)})
    if day.year < FIRST_YEAR:
        raise Unfit(_("The date %(date)s is before 1990.") % {"date": day.isoformat()})
    if day > (today or datetime.now(UTC).date()) + FUTURE:
        raise Unfit(_("The date %(date)s is more than a year ahead.") % {"date": day.isoformat()})
    return day


def clean_secret(raw: str) -> str:
    """Return 16 to 200 visible ASCII characters. No error sentence repeats any of them."""
    _refuse_rounded(raw, _THIS_SECRET)
    secret = _present(raw, _SECRET)
    if not _SIGNS.fullmatch(secret):
        raise Unfit(_("A secret can contain only ASCII letters, digits and symbols, and no spaces."))
    if not MIN_SECRET <= len(secret) <= MAX_SECRET:
        raise Unfit(_("A secret must have 16 to 200 characters; this one has %(count)s.") % {"count": len(secret)})
    return secret


def clean_notes(raw: str) -> str:
    """Return up to 2,000 characters, possibly none. The only control characters allowed are new lines and tabs."""
    notes = str(raw).replace("\r\n", "\n").replace("\r", "\n").strip()
    if found := _UNSTORABLE.search(notes):
        raise Unfit(_invisible(_NOTE, found[0]))
    if len(notes) > MAX_NOTES:
        raise Unfit(_too_long(_NOTE, MAX_NOTES, len(notes)))
    return notes


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet might compute the text instead of showing it (OWASP ASVS 5.0, 1.2.10).

    Numbers, phone numbers and dashes don't count, though they begin with a sign.
    """
    return harmless(text) != text and not _PLAIN_NUMBER.fullmatch(text.strip())


def looks_like_markup(text: str) -> bool:
    """Whether the text contains what a browser would take for HTML or a script."""
    return _MARKUP.search(text) is not None


def guess_padding(serials: Iterable[tuple[str, bool]]) -> int | None:
    """Return the width to which serial numbers have to be zero-filled because Excel cut zeros off; else None.

    `serials` are pairs (text, was a number). The evidence: all serial numbers of digits that stayed text have one
    length, and those that became numbers are not longer, and some are shorter.
    """
    text_widths: set[int] = set()
    number_widths: set[int] = set()
    for text, was_number in serials:
        if text.isascii() and text.isdigit():
            (number_widths if was_number else text_widths).add(len(text))
    if len(text_widths) != 1 or not number_widths:
        return None
    (width,) = text_widths
    return width if max(number_widths) <= width and min(number_widths) < width else None


def luhn_digit(payload: str) -> str:
    """Return the check digit for a number that lacks it (ISO/IEC 7812-1, annex B)."""
    digits = payload.encode("ascii")
    total = sum(digits[-1::-2].translate(_DOUBLED)) + sum(digits[-2::-2].translate(_PLAIN))
    return str(-total % 10)


def _present(raw: str, subject: Any) -> str:
    text = str(raw).strip()
    if not text:
        raise Unfit(_("%(subject)s is missing.") % {"subject": subject})
    return text


def _visible(raw: str, subject: Any, limit: int) -> str:
    text = unicodedata.normalize("NFC", _printable(raw, subject))
    if "  " in text:
        raise Unfit(_("%(subject)s contains two spaces in a row.") % {"subject": subject})
    if len(text) > limit:
        raise Unfit(_too_long(subject, limit, len(text)))
    return text


def _printable(raw: str, subject: Any) -> str:
    """Return the stripped text. Raises Unfit if it is empty or has an invisible character other than the space."""
    text = _present(raw, subject)
    if text.isascii() and text.isprintable():
        return text
    for character in text:
        if _is_invisible(character):
            raise Unfit(_invisible(subject, character))
    return text


def _is_invisible(character: str) -> bool:
    if character.isascii():
        return not character.isprintable()
    return (
        unicodedata.category(character)[0] in "CZ"
        or character in _BLANK_LETTERS
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


def _invisible(subject: Any, character: str) -> str:
    named = {"subject": subject, "code": f"U+{ord(character):04X}"}
    category = unicodedata.category(character)
    if category in {"Cc", "Cf"}:
        return _("%(subject)s contains an invisible control character (%(code)s).") % named
    if category[0] == "Z" or category == "Lo":
        return _("%(subject)s contains an unusual space (%(code)s).") % named
    return _("%(subject)s contains a character that can't be displayed (%(code)s).") % named


def _too_long(subject: Any, limit: int, count: int) -> str:
    return _("%(subject)s can have at most %(limit)s characters; this one has %(count)s.") % {
        "subject": subject,
        "limit": limit,
        "count": count,
    }


def _refuse_rounded(raw: str, subject: Any) -> None:
    if (isinstance(raw, NumberCell) and raw.rounded) or ("+" in raw and _SCIENTIFIC.fullmatch(raw.strip())):
        sentence = _("Excel has rounded %(subject)s. Format the column as text and export again.")
        raise Unfit(sentence % {"subject": subject})


def _without_decimals(raw: str, text: str) -> str:
    """Return the text; if it is a number that the sheet shows with empty decimals, without these."""
    return re.sub(r"\.0+\Z", "", text) if isinstance(raw, NumberCell) else text


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _counted(digits: str) -> dict[str, Any]:
    return {"digits": _shown(digits), "count": len(digits)}


def _shown(text: str) -> str:
    """Return a value as a sentence quotes it, shortened so that it is not longer than the sentence."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def _read_date(text: str, is_number: bool) -> date | None:
    try:
        if len(text) == 10 and text[4] == text[7] == "-":
            return date.fromisoformat(text)
        if found := _YEAR_FIRST.fullmatch(text):
            return date(int(found[1]), int(found[3]), int(found[4]))
        if found := _COMPACT_DATE.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _GERMAN_DATE.fullmatch(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
        if found := _YEAR_LAST.fullmatch(text):
            return _unambiguous(text, int(found[1]), int(found[3]), int(found[4]))
        if is_number:
            return _EXCEL_EPOCH + timedelta(days=int(float(text)))
    except Unfit:
        raise
    except (ValueError, OverflowError):
        # The text has the form of a date but is not a date, such as 30 February.
        return None
    return None


def _unambiguous(text: str, first: int, second: int, year: int) -> date:
    """Return the date whose day and month are `first` and `second`, in either order."""
    if first > 12 or first == second:
        return date(year, second, first)
    if second > 12:
        return date(year, first, second)
    sentence = _("%(text)s can be read in two ways. Write it as %(one)s or %(other)s.")
    raise Unfit(sentence % {"text": text, "one": date(year, second, first), "other": date(year, first, second)})
