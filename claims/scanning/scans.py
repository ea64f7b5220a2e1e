"""Resolves what somebody scans or types at a workbench: a device by any of its identifiers or labels, or a return slip.

This module only decides what a text means. Messages and next steps are up to the workbenches.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from claims import codes
from claims.models import ClaimCode, Return
from claims.scanning import barcodes, keyboards
from claims.scanning.keyboards import Guess
from console.access import Actor
from console.errors import Refused
from devices import lookup
from devices.models import Device

_SEPARATORS = re.compile(r"[,;\t]+")
# Limits for one scan and for a pasted list, of which each line is a scan.
MOST_CHARACTERS, MOST_LINES = 400, 2_000
# The most devices looked up per text: products may share serial numbers.
MOST_TWINS = 20
# The most unknown texts per request for which other layouts are tried. Scanners send one or a few at a time.
MOST_GUESSED = 50


@dataclass(frozen=True)
class Scan:
    """A scanned text and what it identifies: devices (several products may share a serial number), or a return.

    `guess` is set if the text only makes sense with another keyboard layout. If the guess is not evident, the workbench
    asks.
    """

    text: str
    devices: list[Device] = field(default_factory=list)
    returned: Return | None = None
    # A claim link or typed code that exists, but not for a single device.
    is_offer: bool = False
    guess: Guess | None = None

    @property
    def is_known(self) -> bool:
        """Whether the text identifies anything."""
        return bool(self.devices or self.returned or self.is_offer)

    @property
    def is_sure(self) -> bool:
        """Whether the text is certain: not guessed, or an evident guess."""
        return self.guess is None or self.guess.is_evident


def lines(text: str) -> list[str]:
    """Return the lines of a pasted list, in order and deduplicated. `split` finds several scans in one line.

    Raises Refused (422) if there are more than 2,000 lines.
    """
    found = list(dict.fromkeys(filter(None, (line.strip() for line in re.split(r"[\r\n]+", text)))))
    _check_number(len(found))
    return found


def find(actor: Actor, text: str) -> Scan:
    """Return what the text identifies among what the actor may see."""
    return find_all(actor, [text])[0]


def find_all(actor: Actor, texts: list[str]) -> list[Scan]:
    """Return a scan for each text, in order. The number of queries does not depend on the number of texts.

    Tries the text as it is, then without what scanners add, then the serial number of GS1 data, and finally other
    keyboard layouts. One query is enough if all texts are serial numbers or other identifiers.
    """
    raw = [text[:MOST_CHARACTERS] for text in texts]
    found = {text: Scan(plain) for text in raw if (plain := barcodes.plain(text))}
    for text, scan in _known(actor, {text: [scan.text] for text, scan in found.items()}).items():
        found[text] = scan
    unknown = [text for text, scan in found.items() if not scan.is_known]
    for text, scan in _known(actor, {text: barcodes.readings(text) for text in unknown}).items():
        found[text] = scan
    unknown = [text for text in unknown if not found[text].is_known][:MOST_GUESSED]
    found |= _guessed(actor, {text: found[text].text for text in unknown})
    return [found.get(text, Scan("")) for text in raw]


def split(actor: Actor, texts: list[str]) -> list[list[Scan]]:
    """Return the scans of each line: one scan if the line is known as a whole, else one for each part.

    Commas, semicolons and tabs separate parts. If no part is known, the line is one unknown scan. Raises Refused (422)
    if there are more than 2,000 lines and parts.
    """
    wholes = [[scan] for scan in find_all(actor, texts)]
    parts = {
        at: list(dict.fromkeys(filter(None, (part.strip() for part in _SEPARATORS.split(text)))))
        for at, text in enumerate(texts)
        if not wholes[at][0].is_known and _SEPARATORS.search(text.strip())
    }
    if not parts:
        return wholes
    _check_number(len(texts) + sum(map(len, parts.values())))
    scans = iter(find_all(actor, [part for each in parts.values() for part in each]))
    for at, each in parts.items():
        found = [next(scans) for _part in each]
        if any(scan.is_known for scan in found):
            wholes[at] = found
    return wholes


def _check_number(count: int) -> None:
    if count > MOST_LINES:
        sentence = _("The list has %(n)s lines. Paste at most %(most)s at once.")
        raise Refused("too_many_lines", sentence % {"n": count, "most": MOST_LINES}, status=422)


def _known(actor: Actor, readings: dict[str, list[str]]) -> dict[str, Scan]:
    """Return for each text the scan of its first known reading. Omits texts without a known reading."""
    wanted = list(dict.fromkeys(reading for each in readings.values() for reading in each))
    if not wanted:
        return {}
    rows = Device.objects.visible_to(actor).select_related("product", "customer")
    named = lookup.find_all(rows, wanted, most=MOST_TWINS)
    known = {text: Scan(text, devices) for text, devices in named.items()}
    # Readings that identify a device are not looked up as returns or claim codes. An earlier reading of the same text
    # still takes precedence.
    rest = [reading for reading in wanted if reading not in known]
    known |= _returns(actor, rest) | _printed(actor, rest)
    first = {text: next((known[r] for r in each if r in known), None) for text, each in readings.items()}
    return {text: scan for text, scan in first.items() if scan is not None}


def _guessed(actor: Actor, unknown: dict[str, str]) -> dict[str, Scan]:
    """Return for each unknown text the scan that another keyboard layout explains.

    Where that is unknown too but becomes a link, returns an unknown scan with the guess, so that the workbench can say
    how to set up the scanner. Omits all other texts.
    """
    guesses = {text: keyboards.guesses(plain) for text, plain in unknown.items()}
    readings = {
        guess.text: [barcodes.plain(guess.text), *barcodes.readings(guess.text)]
        for each in guesses.values()
        for guess in each
    }
    known, found = _known(actor, readings), {}
    for text, each in guesses.items():
        fitting = [guess for guess in each if guess.text in known]
        # A guess that becomes a link is more certain than one that only removes odd signs.
        fitting.sort(key=lambda guess: (not guess.is_link, not guess.is_evident))
        fitting = [guess for guess in fitting if guess.is_evident] or fitting
        # Layouts that lead to different devices prove nothing.
        units = {tuple(device.pk for device in known[guess.text].devices) for guess in fitting}
        if fitting and len(units) == 1:
            scan = known[fitting[0].text]
            found[text] = Scan(scan.text, scan.devices, scan.returned, scan.is_offer, fitting[0])
        elif links := [guess for guess in each if guess.is_link]:
            found[text] = Scan(unknown[text], guess=links[0])
    return found


def _returns(actor: Actor, texts: Iterable[str]) -> dict[str, Scan]:
    """Return scans of the returns whose numbers the texts are."""
    numbers = {text: number for text in texts if (number := Return.NUMBERS.number(text))}
    if not numbers:
        return {}
    rows = Return.objects.visible_to(actor).select_related("device__product", "device__customer", "customer")
    found = {row.number: row for row in rows.filter(number__in=set(numbers.values()))}
    return {text: Scan(text, returned=found[number]) for text, number in numbers.items() if number in found}


def _printed(actor: Actor, texts: Iterable[str]) -> dict[str, Scan]:
    """Return scans of the claim codes whose link or typed code the texts are."""
    hashes: dict[str, str] = {}
    for text in texts:
        code = codes.normalise(text)
        if len(code) in {codes.LINK_LENGTH, codes.TYPED_LENGTH} and not codes.is_mistyped(code):
            hashes[text] = codes.sha256(code)
    if not hashes:
        return {}
    rows = ClaimCode.objects.visible_to(actor).select_related("device__product", "device__customer")
    wanted = set(hashes.values())
    found: dict[str, ClaimCode] = {}
    for column in ("link_sha256", "typed_sha256"):
        found |= {getattr(row, column): row for row in rows.filter(**{f"{column}__in": wanted})}
    known = {text: found[digest] for text, digest in hashes.items() if digest in found}
    return {
        text: Scan(text, [row.device] if row.device else [], is_offer=row.device is None) for text, row in known.items()
    }
