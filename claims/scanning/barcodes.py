"""Extracts the printed text from scanner input: removes what scanners add, and finds serial numbers in GS1 data.

Nothing is looked up here. `plain` only removes invisible characters; `readings` returns other possible meanings.
"""

import re
import unicodedata
from urllib.parse import unquote, urlsplit

GS, RS, FS = "\x1d", "\x1e", "\x1c"
# The symbology prefix (ISO/IEC 15424, annex A), with GS1 data: ]C1 Code 128, ]d2 Data Matrix, ]Q3 QR code.
_AIM = re.compile(r"\A\][A-Za-z][0-9A-Za-z]")
_GS1_AIM = re.compile(r"\A\](?:C1|d2|e[0-3]|Q3|J1)")
# Unicode classifies these as letters and marks, but they are invisible.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Code 39 begins and ends with *; quotes and brackets come from pasted lists.
_AROUND = " *\"'`\u00b4\u201c\u201d\u201e\u2018\u2019<>[]{}|~^"
_NAMED = re.compile(
    r"\A(?:s/?n|ser(?:ial)?(?:[ .-]?(?:no|nr|num|number))?\.?|seriennummer|snr|mac|imei|iccid)\s*[:=#]\s*",
    re.IGNORECASE,
)
# Application identifiers by their first two digits (GS1 General Specifications 24, 3.2 and 7.8.5): the number of digits
# of the identifier and the length of the value, where 0 means up to the next separator.
_GS1 = {
    "00": (2, 18),
    "01": (2, 14),
    "02": (2, 14),
    "03": (2, 14),
    "10": (2, 0),
    "11": (2, 6),
    "12": (2, 6),
    "13": (2, 6),
    "15": (2, 6),
    "16": (2, 6),
    "17": (2, 6),
    "20": (2, 2),
    "21": (2, 0),
    "22": (2, 0),
    "23": (3, 0),
    "24": (3, 0),
    "25": (3, 0),
    "30": (2, 0),
    "31": (4, 6),
    "32": (4, 6),
    "33": (4, 6),
    "34": (4, 6),
    "35": (4, 6),
    "36": (4, 6),
    "37": (2, 0),
    "39": (4, 0),
    "40": (3, 0),
    "41": (3, 13),
    "42": (3, 0),
    "43": (4, 0),
    "70": (4, 0),
    "71": (3, 0),
    "72": (4, 0),
    "80": (4, 0),
    "81": (4, 0),
    "82": (4, 0),
    "90": (2, 0),
    "91": (2, 0),
    "92": (2, 0),
    "93": (2, 0),
    "94": (2, 0),
    "95": (2, 0),
    "96": (2, 0),
    "97": (2, 0),
    "98": (2, 0),
    "99": (2, 0),
}
_SERIAL, _GTIN = "21", "01"
_GTIN_IN_FRONT = re.compile(r"\A01(\d{14})", re.ASCII)


def plain(text: str) -> str:
    """Return the text without invisible characters, with each run of whitespace as a single space."""
    return " ".join("".join(map(_visible, text)).split())


def readings(text: str) -> list[str]:
    """Return other possible meanings of the text, likeliest first, all `plain` and different from the text.

    The text without its symbology prefix; the serial number of a GS1 element string or Digital Link (AI 21) or of an
    ISO/IEC 15434 message (DI S); the text without surrounding signs; and the text without a label such as "S/N:".
    """
    seen = plain(text)
    bare = _AIM.sub("", seen)
    found = [
        bare,
        gs1_serial(text),
        message_serial(text),
        bare.strip(_AROUND),
        seen.strip(_AROUND),
        _NAMED.sub("", bare),
    ]
    cleaned = dict.fromkeys(plain(each) for each in found)
    return [each for each in cleaned if each and each != seen]


def gs1_serial(text: str) -> str:
    """Return the serial number in a GS1 element string, plain or bracketed, or GS1 Digital Link; empty if none."""
    text = text.strip(" \r\n\t\x00\x02\x03\x04")
    is_marked = bool(_GS1_AIM.match(text)) or GS in text
    text = _AIM.sub("", text)
    if text[:8].lower().startswith(("http://", "https://")):
        return _of_link(text)
    if text.startswith("("):
        return _of_brackets(text)
    front = _GTIN_IN_FRONT.match(text)
    if is_marked or (front and _is_gtin(front[1])):
        return _of_elements(text.strip(GS))
    return ""


def message_serial(text: str) -> str:
    """Return the serial number in a message with data identifiers (ISO/IEC 15434, format 06); empty if none."""
    _begin, opened, rest = text.partition(f"[)>{RS}06{GS}")
    fields = rest.split(RS)[0].split(GS) if opened else []
    return next((each[1:] for each in fields if each[:1] == "S" and len(each) > 1), "")


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "Z" or character in "\t\n\r\v\f":
        return " "
    if category in {"Cc", "Cf", "Cs", "Co"} or character in _BLANK_LETTERS:
        return ""
    if "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return ""
    return character


def _of_link(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    steps = [unquote(step) for step in parts.path.split("/")]
    keys = [at for at, step in enumerate(steps[:-1]) if step == _GTIN and _is_gtin(_padded(steps[at + 1]))]
    for start in keys:
        pairs = dict(zip(steps[start::2], steps[start + 1 :: 2], strict=False))
        if pairs.get(_SERIAL):
            return pairs[_SERIAL]
    # A Digital Link is not form data, so "+" does not mean a space.
    queries = (each.partition("=") for each in re.split("[&;]", parts.query))
    return next((unquote(value) for name, _equal, value in queries if name == _SERIAL and value), "")


def _of_brackets(text: str) -> str:
    parts = re.split(r"\((\d{2,4})\)", text, flags=re.ASCII)
    pairs = dict(zip(parts[1::2], parts[2::2], strict=True)) if parts[0] == "" else {}
    return pairs.get(_SERIAL, "").strip(GS)


def _of_elements(text: str) -> str:
    serial = ""
    while text:
        digits, length = _GS1.get(text[:2], (0, 0))
        if not digits or not (text[:digits].isascii() and text[:digits].isdigit()):
            return ""
        name, text = text[:digits], text[digits:]
        if length:
            value, text = text[:length], text[length:].removeprefix(GS)
            if len(value) < length or not (value.isascii() and value.isdigit()):
                return ""
        else:
            value, _separator, text = text.partition(GS)
        if name == _SERIAL:
            serial = value
    return serial


def _padded(digits: str) -> str:
    """Return a GTIN of 8, 12 or 13 digits padded to 14, and anything else unchanged."""
    return digits.zfill(14) if len(digits) in {8, 12, 13} else digits


def _is_gtin(digits: str) -> bool:
    """Whether the text has 14 digits with a correct check digit at the end."""
    if not (len(digits) == 14 and digits.isascii() and digits.isdigit()):
        return False
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(digits))
    return total % 10 == 0
