"""What a manifest contains, and how each of its rows becomes a checked device."""

import json
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from console.columns import Header
from console.fields import fold
from console.imports import SENTENCES, Key, Kind, Row, Staging, unguarded, visible
from devices import identifiers
from devices.fields import BY_NAME, FIELDS, Field
from devices.identifiers import Unfit, looks_like_formula, looks_like_markup
from devices.manifest.registered import HIDDEN, Comparison
from devices.models import Product

COLUMNS = tuple(field.as_column for field in sorted(FIELDS, key=lambda field: field.rank_in_manifest))
# Required in every row, whether or not the file has the column.
REQUIRED = tuple(field.name for field in FIELDS if field.key)

MISSING = {
    "serial_number": gettext_lazy("The serial number is missing."),
    "device_name": gettext_lazy("The device name is missing."),
}

# Number of values remembered per column.
_REMEMBERED = 2_000


class ManifestKind(Kind):
    """The import of a manifest into a product."""

    columns = COLUMNS
    required = REQUIRED
    fields = tuple(name for field in FIELDS for name in field.columns)
    keys = (
        Key(
            "serial_key",
            "serial_number",
            gettext_lazy("Same serial number as row %(row)s."),
            gettext_lazy("Same serial number as row %(row)s (only upper/lower case differs)."),
        ),
        Key(
            "name_key",
            "device_name",
            gettext_lazy("Same device name as row %(row)s."),
            gettext_lazy("Same device name as row %(row)s (only upper/lower case differs)."),
        ),
        Key("imei", "imei", notice="imei_twice"),
        Key("iccid", "iccid", gettext_lazy("Same ICCID as row %(row)s.")),
        Key("mac", "mac", gettext_lazy("Same MAC address as row %(row)s.")),
    )
    shown = ("serial_number", "device_name")
    sentences = SENTENCES | {
        "imei_twice": ngettext_lazy(
            "%(n)s row repeats an IMEI from an earlier row. Check with the factory.",
            "%(n)s rows repeat an IMEI from an earlier row. Check with the factory.",
            "count",
        ),
        "imei_taken": ngettext_lazy(
            "%(n)s row has the IMEI of a registered device. Check with the factory.",
            "%(n)s rows have the IMEI of a registered device. Check with the factory.",
            "count",
        ),
        "number_names": ngettext_lazy(
            "Excel turned %(n)s device name into a number. Compare it with the label.",
            "Excel turned %(n)s device names into numbers. Compare them with the labels.",
            "count",
        ),
        "numbers": ngettext_lazy(
            "Excel turned %(n)s serial number into a number. Any leading zeros are lost.",
            "Excel turned %(n)s serial numbers into numbers. Any leading zeros are lost.",
            "count",
        ),
        "grouped": ngettext_lazy(
            "The thousands separators of %(n)s number were removed.",
            "The thousands separators of %(n)s numbers were removed.",
            "count",
        ),
        "padded": ngettext_lazy(
            "%(n)s serial number was padded with zeros.", "%(n)s serial numbers were padded with zeros.", "count"
        ),
    }

    def __init__(self, product: Product, reading: dict[str, Any]) -> None:
        super().__init__(reading)
        self.product = product
        self._pad: int | None = reading.get("pad")

    def begin(self, header: Header) -> None:
        """Map cells to places, once for all rows: index, name, position, position of the key, is_free, cleaner."""
        places = {name: position for position, name in enumerate(self.fields)}
        self._plan = [
            (index, name, places[field.stored_as], places.get(field.key), field.is_free, _cleaner(field))
            for index, name in header.mapping.items()
            for field in [BY_NAME[name]]
        ]
        self._told = {self.fields[place] for _i, _n, place, *_rest in self._plan} - set(self.required)

    def clean(self, row: Row, cells: list[str]) -> None:
        """Fill the row's values from its cells, and add every reason to refuse it."""
        count, values, has_spaces = len(cells), row.values, False
        for index, name, place, key_place, is_free, cleaner in self._plan:
            raw = cells[index] if index < count else ""
            text = raw.strip()
            if not text:
                if name in MISSING:
                    row.reasons.append(str(MISSING[name]))
                continue
            if len(text) != len(raw):
                has_spaces = True
            if text[0] == "'":
                text = raw = unguarded(text)
            if type(raw) is not str:
                raw = self._number(row, name, raw)
            if is_free and not text.isalnum():
                self._remark(row.number, text)
            try:
                value = values[place] = cleaner(raw)
            except Unfit as unfit:
                row.reasons.append(unfit.sentence)
                values[place] = visible(text) if name in self.shown else None
            else:
                if key_place is not None:
                    values[key_place] = value.lower() if value.isascii() else fold(value)
        if has_spaces:
            self.notices.add("spaces", row.number)

    def match(self, rows: list[Row]) -> None:
        """Compare good rows with what is registered."""
        Comparison(rows, self.fields, self._told, self.product).judge(self.notices)

    def finish(self, staging: Staging) -> dict[str, Any]:
        """If Excel has cut off zeros, refuse those serial numbers until a person says how many digits they have."""
        if self._pad is not None or "numbers" not in self.notices:
            return {"pad": None}
        width = identifiers.guess_padding(staging.samples("serial_number"))
        if width is None:
            return {"pad": None}
        self.notices.drop("numbers")
        sentence = _(
            "Excel turned this serial number into a number and removed leading zeros. "
            "First choose how many digits it has."
        )
        return {"pad": {"count": staging.refuse_marked(sentence, "length(serial_number) < ?", width), "to": width}}

    @staticmethod
    def said(column: str, values: dict[str, Any]) -> str:
        """Return the value of a column in a checked row, for the preview. A secret only shows that there is one."""
        value = values[BY_NAME[column].stored_as]
        if column == "is_development" and value is not None:
            return _("yes") if value else _("no")
        if column == "tags" and value:
            return ", ".join(json.loads(value))
        return HIDDEN if BY_NAME[column].is_secret and value else str(value or "")

    def _number(self, row: Row, name: str, raw: Any) -> str:
        """Return a cell that was a number in the workbook; what Excel may have done to it is noticed, or undone."""
        if not BY_NAME[name].is_taken_as_shown and raw.ungrouped != raw:
            self.notices.add("grouped", row.number)
            raw = raw.without_groups()
        if name == "device_name":
            self.notices.add("number_names", row.number)
            if raw.rounded:
                row.reasons.append(_("Excel has rounded this device name. Format the column as text and export again."))
        if name != "serial_number" or not raw.isdigit() or raw.laid_out:
            return raw
        row.is_marked = True
        if self._pad is None:
            self.notices.add("numbers", row.number)
        elif len(raw) < self._pad:
            self.notices.add("padded", row.number)
            return raw.zfill(self._pad)
        return raw

    def _remark(self, number: int, text: str) -> None:
        if not text[0].isalnum() and looks_like_formula(text):
            self.notices.add("formula", number)
        if ("<" in text or "&" in text or ":" in text) and looks_like_markup(text):
            self.notices.add("markup", number)


def _cleaner(field: Field) -> Callable[[str], Any]:
    return _remembering(field.clean) if field.repeats else field.clean


def _remembering(cleaner: Callable[[str], Any]) -> Callable[[str], Any]:
    """Cache the cleaner's results, for values that repeat from row to row and cost more to clean than to remember."""
    known: dict[str, Any] = {}

    def clean(raw: str) -> Any:
        if type(raw) is not str:
            return cleaner(raw)
        value = known.get(raw)
        if value is None:
            if len(known) > _REMEMBERED:
                known.clear()
            value = known[raw] = cleaner(raw)
        return value

    return clean
