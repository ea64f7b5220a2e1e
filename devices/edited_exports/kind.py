"""What an edited export contains, and how each of its rows becomes the changes of one device."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from console.columns import Header
from console.fields import fold
from console.imports import SENTENCES, Key, Kind, Row, unguarded, visible
from console.models import Organization
from console.tabular import NumberCell
from devices.edited_exports.columns import COLUMNS, EDITED
from devices.edited_exports.comparison import Comparison
from devices.edited_exports.version import TEXTS
from devices.fields import BY_NAME

# Columns taken exactly as the sheet shows them; in identifiers, thousands separators are removed.
_AS_SHOWN = {name for name in EDITED if BY_NAME[name].is_taken_as_shown}


class RoundTripKind(Kind):
    """The changes that an edited export makes.

    `is_guarded` says whether an apostrophe before a formula was put there by the export, as it is in CSV.
    """

    columns = COLUMNS
    required = ("device_name",)
    # Of a checked row that changes something: `act` says what happens to its owner; `tags` (as JSON) and `notes` are
    # the new values, or None; `seen` is the device's version at the time of the check.
    fields = (
        *TEXTS,
        "device_name",
        "name_key",
        "version",
        "act",
        "owner_from",
        "owner_to",
        "seen",
    )
    keys = (
        Key(
            "name_key",
            "device_name",
            gettext_lazy("Same device name as row %(row)s."),
            gettext_lazy("Same device name as row %(row)s (only upper/lower case differs)."),
        ),
    )
    shown = ("serial_number", "device_name")
    # A cell with an error must not count as emptied: that would unclaim the device, or remove its tags or notes.
    refuses_errors = True
    sentences = SENTENCES | {
        "no_version": ngettext_lazy(
            "The file has no “version” column, so changes made in the console since the export can't be "
            "detected. %(n)s row is compared with the current data.",
            "The file has no “version” column, so changes made in the console since the export can't be "
            "detected. %(n)s rows are compared with the current data.",
            "count",
        ),
        "lost_letters": ngettext_lazy(
            "Windows-1252 can't represent some characters of %(n)s text, which is left unchanged.",
            "Windows-1252 can't represent some characters of %(n)s texts, which are left unchanged.",
            "count",
        ),
        "lost_zeros": ngettext_lazy(
            "Excel removed leading zeros from %(n)s serial number. The device is found by its device name.",
            "Excel removed leading zeros from %(n)s serial numbers. The devices are found by their device names.",
            "count",
        ),
    }

    def __init__(self, organization: Organization, reading: dict[str, Any], *, is_guarded: bool = True) -> None:
        super().__init__(reading)
        self.organization, self.is_guarded = organization, is_guarded
        self.may = frozenset(reading.get("may", ()))

    def begin(self, header: Header) -> None:
        """Map the cells to their places, once for all rows."""
        self.place = {name: position for position, name in enumerate(self.fields)}
        self.plan = [(index, name, self.place[name]) for index, name in header.mapping.items()]
        self.mapped = frozenset(header.mapping.values())

    def clean(self, row: Row, cells: list[str]) -> None:
        """Take the cells as they are; a column that the file does not have stays None."""
        values, count = row.values, len(cells)
        for index, name, place in self.plan:
            raw = cells[index] if index < count else ""
            if name == "device_name":
                self._clean_name(row, raw)
            else:
                shown = raw.without_groups() if isinstance(raw, NumberCell) and name not in _AS_SHOWN else raw
                values[place] = str(shown).strip()
        if "version" not in self.mapped:
            self.notices.add("no_version", row.number)

    def match(self, rows: list[Row]) -> None:
        """Compare the rows with the devices that they name."""
        Comparison(rows, self).judge()

    def texts(self, raw: str) -> tuple[str, str]:
        """Return what a cell says, and what else it may say: an apostrophe may be the export's or the person's own."""
        bare = unguarded(raw)
        return (bare, raw) if self.is_guarded else (raw, bare)

    def _clean_name(self, row: Row, raw: str) -> None:
        text = unguarded(str(raw).strip())
        if not text:
            row.reasons.append(_("The device name is missing."))
            return
        row.values[self.place["device_name"]] = visible(text)
        row.values[self.place["name_key"]] = fold(text)
        if getattr(raw, "rounded", False):
            row.reasons.append(_("Excel has rounded this device name. Format the column as text and export again."))
