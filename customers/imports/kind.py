"""What a customer file contains, and how one of its rows becomes a checked customer."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from console import sql
from console.columns import Header
from console.export import harmless
from console.fields import fold
from console.forms import clean_text
from console.imports import SENTENCES, Key, Kind, Row, unguarded, visible
from console.models import Organization
from console.tabular import NumberCell
from customers.imports.columns import ADDRESS, COLUMNS, KINDS, LABELS
from customers.imports.registered import Comparison, First
from customers.models import Customer, CustomerKind

# A number in these columns of a workbook has lost its leading zero or plus.
_NUMBERS = {"reference": "number_references", "phone": "number_phones"}


class CustomerFileKind(Kind):
    """The kind of file that imports customers into an organization."""

    columns = COLUMNS
    required = ("name",)
    fields = (
        "name",
        "name_key",
        "kind",
        "reference",
        "reference_key",
        "email",
        "phone",
        "address",
        "street",
        "postcode",
        "city",
        "country",
        "notes",
        "identity",
    )
    keys = (
        Key(
            "reference_key",
            "reference",
            gettext_lazy("Same reference as row %(row)s."),
            gettext_lazy("Same reference as row %(row)s (only upper/lower case differs)."),
        ),
        Key(
            "identity",
            "name",
            gettext_lazy("Same customer as row %(row)s. If they are different customers, give each a reference."),
        ),
    )
    shown = ("name", "reference")
    cell_class = ""
    sentences = SENTENCES | {
        "same_name": ngettext_lazy(
            "%(n)s row has the name of an existing customer but a different reference. It becomes a new customer.",
            "%(n)s rows have the names of existing customers but different references. They become new customers.",
            "count",
        ),
        "number_references": ngettext_lazy(
            "Excel turned %(n)s reference into a number. Any leading zeros are lost.",
            "Excel turned %(n)s references into numbers. Any leading zeros are lost.",
            "count",
        ),
        "number_phones": ngettext_lazy(
            "Excel turned %(n)s phone number into a plain number. Any leading plus or zero is lost.",
            "Excel turned %(n)s phone numbers into plain numbers. Any leading plus or zero is lost.",
            "count",
        ),
    }

    def __init__(self, organization: Organization, reading: dict[str, Any]) -> None:
        super().__init__(reading)
        self.organization = organization
        # The first row found for each registered customer, by the customer's id.
        self._stood_for: dict[int, First] = {}

    def begin(self, header: Header) -> None:
        """Determine once for all rows which cell belongs to which field."""
        self._plan = list(header.mapping.items())
        self._place = {name: position for position, name in enumerate(self.fields)}
        told = set(header.mapping.values())
        self._told = told - set(ADDRESS) | ({"address"} if told & set(ADDRESS) else set())

    def clean(self, row: Row, cells: list[str]) -> None:
        """Fill the row's values from its cells, and list every reason to refuse it."""
        place, values, is_spaced = self._place, row.values, False
        for index, name in self._plan:
            raw = cells[index] if index < len(cells) else ""
            is_spaced |= raw != raw.strip()
            if isinstance(raw, NumberCell) and name in _NUMBERS:
                raw = raw.without_groups()
            text = unguarded(raw.strip())
            if not text:
                continue
            self._remark(row, name, raw, text)
            try:
                values[place[name]] = CLEANERS[name](text)
            except ValidationError as error:
                row.reasons.append(error.messages[0])
                values[place[name]] = visible(text) if name in self.shown else None
        if is_spaced:
            self.notices.add("spaces", row.number)
        if not values[place["name"]]:
            row.reasons.append(_("The name is missing."))
        self._join_address(row)
        self._set_keys(row)

    def match(self, rows: list[Row]) -> None:
        """Compare rows without errors with the registered customers."""
        Comparison(rows, self.fields, self._told, self.organization, self._stood_for).judge(self.notices)

    @staticmethod
    def said(column: str, values: dict[str, Any]) -> str:
        """Return the value of a column in a checked row, as the preview shows it."""
        value = values.get(column) or ""
        return str(CustomerKind(value).label) if column == "kind" and value else value

    def _remark(self, row: Row, name: str, raw: str, text: str) -> None:
        if isinstance(raw, NumberCell) and name in _NUMBERS:
            if not raw.laid_out:
                self.notices.add(_NUMBERS[name], row.number)
            if raw.rounded:
                sentence = _("%(field)s: Excel has rounded this number. Format the column as text and export again.")
                row.reasons.append(sentence % {"field": LABELS[name]})
        if name != "phone" and harmless(text) != text:
            self.notices.add("formula", row.number)

    def _join_address(self, row: Row) -> None:
        """Join the address columns into one text: address, street, postcode and city, country."""
        address, street, postcode, city, country = (row.values[self._place[name]] for name in ADDRESS)
        lines = [address, street, " ".join(filter(None, [postcode, city])), country]
        joined = "\n".join(filter(None, lines))
        if len(joined) > _limit("address"):
            row.reasons.append(_too_long("address", len(joined)))
        row.values[self._place["address"]] = joined or None

    def _set_keys(self, row: Row) -> None:
        values, place = row.values, self._place
        name, reference = values[place["name"]], values[place["reference"]]
        values[place["name_key"]] = fold(name)[:200] if name else None
        values[place["reference_key"]] = fold(reference)[:200] if reference else None
        if name and not reference:
            values[place["identity"]] = f"{values[place['kind']] or CustomerKind.COMPANY} {fold(name)[:200]}"


def _limit(name: str) -> int:
    return sql.field(Customer, name).max_length or 0


def _too_long(name: str, length: int) -> str:
    limits = {"field": LABELS[name], "limit": _limit(name), "count": length}
    return _("%(field)s: at most %(limit)s characters; this one has %(count)s.") % limits


def _text(name: str, limited_as: str = "") -> Callable[[str], str]:
    """Return a cleaner of text; it joins the lines of a field that usually has a single one."""

    def clean(raw: str) -> str:
        try:
            text = clean_text(raw)
        except ValidationError as error:
            raise ValidationError(f"{LABELS[name]}: {error.messages[0]}") from None
        if name not in {"address", "notes"}:
            text = " ".join(text.split())
        if len(text) > _limit(limited_as or name):
            raise ValidationError(_too_long(limited_as or name, len(text)))
        return text

    return clean


def _kind(raw: str) -> str:
    kind = KINDS.get(fold(raw))
    if kind is None:
        sentence = _("Kind: write company, person or internal, not “%(text)s”.")
        raise ValidationError(sentence % {"text": visible(raw, 40)})
    return kind


def _email(raw: str) -> str:
    text = _text("email")(raw)
    try:
        validate_email(text)
    except ValidationError:
        raise ValidationError(_("“%(text)s” is not an email address.") % {"text": visible(text, 60)}) from None
    return text


CLEANERS: dict[str, Callable[[str], Any]] = {
    **{name: _text(name) for name in ("name", "reference", "phone", "address", "notes")},
    **{name: _text(name, "address") for name in ADDRESS[1:]},
    "kind": _kind,
    "email": _email,
}
