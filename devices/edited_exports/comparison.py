"""Compares uploaded rows with the devices that they name: what a person edited, and what may be done about it.

It is a three-way comparison. A cell counts as edited if it differs from what was exported, which the row's version
records. A value that was changed in the console since, but not by the person, stays as it is in the console. If both
changed it, the row is refused.
"""

import json
import re
from functools import lru_cache
from typing import Any, Protocol

from django.utils.translation import gettext as _

from console.access import Permission
from console.fields import fold
from console.imports import Notices, Row, visible
from console.models import Organization
from devices import causes, identifiers, tags
from devices.edited_exports.columns import EDITED, LABELS
from devices.edited_exports.registered import Named, RegisteredDevice, customers_named, devices_named
from devices.edited_exports.version import normal, part, parts_of
from devices.identifiers import Unfit

FIXED = ("serial_number", "product", "status")
ASSIGN, UNCLAIM, TRANSFER = "assign", "unclaim", "transfer"


class _No(Exception):
    """A reason to refuse the row."""


class Sheet(Protocol):
    """What a comparison needs from the sheet that its rows come from."""

    place: dict[str, int]
    mapped: frozenset[str]
    organization: Organization
    may: frozenset[Any]
    notices: Notices

    def texts(self, raw: str) -> tuple[str, str]:
        """Return what a cell says, and what else it may say."""


class Comparison:
    """One batch of rows and the devices and customers that they name."""

    def __init__(self, rows: list[Row], kind: Sheet) -> None:
        self.rows, self.kind, self.place, self.mapped = rows, kind, kind.place, kind.mapped
        keys = {row.values[self.place["name_key"]] for row in rows}
        self.devices = devices_named(kind.organization.pk, keys)
        self.by_name: dict[str, list[Named]] = {}
        self.by_reference: dict[str, Named] = {}

    def judge(self) -> None:
        """Set `target` and `changes` of each row, or add the reason to refuse it."""
        named = []
        for row in self.rows:
            device = self.devices.get(row.values[self.place["name_key"]])
            try:
                if device is None:
                    raise _No(_("No device has this name."))
                edited = self._edited(row, device)
            except _No as no:
                row.reasons.append(str(no))
            else:
                named.append((row, device, edited))
        self._find_customers(named)
        for row, device, edited in named:
            try:
                self._settle(row, device, edited)
            except (_No, Unfit) as no:
                row.reasons.append(no.sentence if isinstance(no, Unfit) else str(no))

    def _edited(self, row: Row, device: RegisteredDevice) -> set[str]:
        """Return the columns that a person has edited. Raises _No if one of them can't be edited."""
        base = self._base(row, device)
        edited = {
            name for name in device.texts if name in self.mapped and self._is_edited(row, name, device, base[name])
        }
        for name in FIXED:
            if name in edited:
                details = {"label": LABELS[name], "old": device.texts[name], "new": visible(self._text(row, name), 60)}
                changed = _("%(label)s: “%(old)s” can't be changed to “%(new)s” with a file. Restore the old value.")
                emptied = _("%(label)s: “%(old)s” can't be cleared with a file. Restore the old value.")
                raise _No((changed if details["new"] else emptied) % details)
        return edited

    def _base(self, row: Row, device: RegisteredDevice) -> dict[str, str]:
        """Return the parts as they were exported, or as registered now if the file has no versions."""
        if "version" not in self.mapped:
            return device.parts
        if row.values[self.place["version"]] == device.version:
            return device.parts
        base = parts_of(row.values[self.place["version"]])
        if base is None:
            raise _No(_("The column “version” was changed or cleared in this row. Export the list again."))
        if base["unit"] != device.parts["unit"]:
            raise _No(_("The “version” in this row belongs to another device. Were the columns sorted separately?"))
        return base

    def _is_edited(self, row: Row, name: str, device: RegisteredDevice, base: str) -> bool:
        raw, now = row.values[self.place[name]], device.texts[name]
        if base != device.parts[name]:
            return not any(part(normal(name, text)) == base for text in self.kind.texts(raw))
        if raw == now or any(normal(name, text) == normal(name, now) for text in self.kind.texts(raw)):
            return False
        if name == "serial_number" and raw.isdigit() and now.isdigit() and raw == now.lstrip("0"):
            self.kind.notices.add("lost_zeros", row.number)
            return False
        if _is_lossy_copy(now, self._text(row, name)):
            self.kind.notices.add("lost_letters", row.number)
            return False
        return True

    def _text(self, row: Row, name: str) -> str:
        """Return the text of the row in a column that the file has."""
        return self.kind.texts(row.values[self.place[name]])[0]

    def _find_customers(self, named: list[tuple[Row, RegisteredDevice, set[str]]]) -> None:
        names, references = set(), set()
        for row, _device, edited in named:
            if edited & {"owner", "owner_reference"}:
                names |= {fold(self._text(row, "owner"))[:200]} if "owner" in self.mapped else set()
                if "owner_reference" in self.mapped:
                    references |= {fold(self._text(row, "owner_reference"))[:200]}
        self.by_name, self.by_reference = customers_named(self.kind.organization.pk, names - {""}, references - {""})

    def _settle(self, row: Row, device: RegisteredDevice, edited: set[str]) -> None:
        values, place, changes = row.values, self.place, {}
        act, owner_to = "", None
        if edited & {"owner", "owner_reference"}:
            customer = self._owner(row, device, edited)
            owner_to = customer.pk if customer else None
            if owner_to != device.customer_id:
                act = TRANSFER if device.customer_id and owner_to else ASSIGN if owner_to else UNCLAIM
                changes["owner"] = [device.texts["owner"], customer.name if customer else ""]
        tags = self._tags(row, device) if "tags" in edited else None
        if tags is not None:
            changes["tags"] = [device.texts["tags"], ", ".join(tags)]
        notes = identifiers.clean_notes(self._text(row, "notes")) if "notes" in edited else None
        if notes == device.notes:
            notes = None
        if notes is not None:
            changes["notes"] = [device.notes, notes]
        if changes:
            self._refuse_unfit(row, device, act, changes)
        row.target, row.changes = device.pk, changes or None
        fresh = {
            "serial_number": device.serial_number,
            "product": None,
            "status": None,
            "owner": None,
            "owner_reference": None,
            "version": None,
            "tags": None if tags is None else json.dumps(tags),
            "notes": notes,
            "act": act,
            "owner_from": device.customer_id,
            "owner_to": owner_to,
            "seen": device.version,
        }
        for name, value in fresh.items():
            values[place[name]] = value

    def _refuse_unfit(self, row: Row, device: RegisteredDevice, act: str, changes: dict[str, list[Any]]) -> None:
        """Raise _No if the changes are not allowed or not possible."""
        base = self._base(row, device)
        watched = {"holder": "owner", **{name: name for name in EDITED}}
        stale = [str(LABELS[label]) for name, label in watched.items() if base[name] != device.parts[name]]
        if stale:
            sentence = _(
                "It has been changed in the console since this file was exported: %(fields)s. Export it again."
            )
            raise _No(sentence % {"fields": ", ".join(stale)})
        if sentence := not_allowed(self.kind.may, act, changes):
            raise _No(sentence)
        if act and (sentence := not_movable(device)):
            raise _No(sentence)

    def _owner(self, row: Row, device: RegisteredDevice, edited: set[str]) -> Named | None:
        """Return the owner that the row names, None for no owner: the edited cell decides; of two, the reference."""
        name = self._text(row, "owner") if "owner" in self.mapped else ""
        reference = self._text(row, "owner_reference") if "owner_reference" in self.mapped else ""
        if "owner_reference" not in edited:
            return self._by_name(name, reference) if name else None
        if reference:
            found = self._by_reference(reference)
            if name and "owner" in edited and found.name_key != fold(name)[:200]:
                sentence = _(
                    "The reference “%(reference)s” belongs to %(found)s, not to “%(name)s”. Correct one of them."
                )
                raise _No(
                    sentence % {"reference": visible(reference, 60), "found": found.name, "name": visible(name, 60)}
                )
            return found
        if name and "owner" not in edited:
            raise _No(_("The owner's reference is empty, but the owner's name isn't. Clear both to unclaim."))
        return self._by_name(name, "") if name else None

    def _by_reference(self, reference: str) -> Named:
        found = self.by_reference.get(fold(reference)[:200])
        if found is None:
            raise _No(_("No customer has the reference “%(text)s”.") % {"text": visible(reference, 60)})
        if found.archived_at:
            raise _No(_("%(customer)s is archived. Restore it first.") % {"customer": found.name})
        return found

    def _by_name(self, name: str, reference: str) -> Named:
        every = self.by_name.get(fold(name)[:200], [])
        found = [each for each in every if not each.archived_at]
        if len(found) > 1:
            # The reference in the same row, if any, says which of them is meant.
            found = [each for each in found if reference and each.reference_key == fold(reference)[:200]] or found
        if len(found) == 1:
            return found[0]
        if found:
            sentence = _("%(n)d customers are named “%(text)s”. Use the reference of the right one instead.")
            raise _No(sentence % {"n": len(found), "text": visible(name, 60)})
        if every:
            raise _No(_("%(customer)s is archived. Restore it first.") % {"customer": every[0].name})
        raise _No(_("No customer is named “%(text)s”. Create the customer first.") % {"text": visible(name, 60)})

    def _tags(self, row: Row, device: RegisteredDevice) -> list[str] | None:
        """Return the device's new tags; None if it has them already, even in another letter case."""
        mine = {fold(tag): tag for tag in device.tags}
        pieces: list[str] = []
        for piece in self._text(row, "tags").split(","):
            # A tag may contain a semicolon; only text that is not a tag of the device is split at semicolons.
            pieces += [piece] if fold(piece) in mine else piece.split(";")
        named = {key: mine.get(key, name) for key, name in tags.named(pieces).items()}
        if set(named) == set(mine):
            return None
        tags.refuse_unfit(named, had=mine)
        return [named[key] for key in sorted(named)]


def not_allowed(may: Any, act: str, changes: Any) -> str:
    """Return why these permissions are not enough for a row, or an empty string."""
    if set(EDITED) & set(changes) and Permission.DEVICE_EDIT not in may:
        return _("You don't have permission to change tags and notes.")
    if act in {ASSIGN, TRANSFER} and Permission.DEVICE_ASSIGN not in may:
        return _("You don't have permission to assign devices.")
    if act in {UNCLAIM, TRANSFER} and Permission.DEVICE_UNCLAIM not in may:
        return _("You don't have permission to unclaim devices.")
    return ""


def not_movable(device: RegisteredDevice) -> str:
    """Return why the owner of a device can't change, or an empty string."""
    cause = causes.of(device)
    # A file may take a device from its owner.
    return "" if cause is None or cause.code == "already_owned" else cause.sentence


def _is_lossy_copy(text: str, copy: str) -> bool:
    """Whether a copy differs only in letters missing from Windows-1252, the encoding that Excel may write."""
    if text.isascii() or not copy:
        return False
    pattern = _with_gaps(" ".join(text.split()))
    return pattern is not None and pattern.fullmatch(" ".join(copy.split())) is not None


@lru_cache(maxsize=10_000)
def _with_gaps(text: str) -> re.Pattern[str] | None:
    pieces = [re.escape(letter) if _is_in_1252(letter) else ".{1,2}" for letter in text]
    return re.compile("".join(pieces)) if ".{1,2}" in pieces else None


def _is_in_1252(letter: str) -> bool:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
