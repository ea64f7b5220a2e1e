"""The contents of the pages of an import, and the forms on them."""

from functools import cached_property
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.columns import Column
from console.errors import Refused
from console.imports import checking
from console.imports.checking import LEAVE_OUT, Kind
from console.imports.staging import Staged, Verdict
from console.imports.uploads import staging_of
from console.models import FileImport
from console.tabular import letters
from console.tabular.encodings import NAMES
from console.uploads import oversized

REFUSED_SHOWN, CHANGED_SHOWN, NEW_SHOWN, IGNORED_SHOWN = 200, 100, 3, 10
SHEETS_SHOWN, READINGS_SHOWN = 6, 5
UNUSED = "-"
# The choices for rows that the sheet hides.
HIDDEN = ("read", LEAVE_OUT)


class Figure(NamedTuple):
    """One of the four counts: its colour, icon, label and value."""

    tone: str
    icon: str
    label: str
    value: int


class Line(NamedTuple):
    """A row as the page shows it: number, cells, why it is refused, and its changes as (label, old, new)."""

    number: int
    cells: list[str]
    reason: str
    changes: list[tuple[str, str, str]]


class ShownReading(NamedTuple):
    """How an encoding reads a few cells: its codec, its name, the cells, and whether it is the one in use."""

    codec: str
    name: Any
    cells: list[str]
    is_used: bool


class Preview:
    """What the check of an import found, as its page shows it. Reads the checked rows, but never the file."""

    def __init__(self, row: FileImport, kind: type[Kind]) -> None:
        self.row, self.kind, self.summary = row, kind, row.summary
        self.labels = {column.name: column.label for column in kind.columns}

    @property
    def cell_class(self) -> str:
        """The CSS class of cells."""
        return self.kind.cell_class

    @property
    def is_checked(self) -> bool:
        """Whether there are counts."""
        return "new" in self.summary

    @property
    def good(self) -> int:
        """How many rows are not refused."""
        return sum(self.summary.get(name, 0) for name in ("new", "unchanged", "changed"))

    @property
    def effects(self) -> int:
        """How many rows would change something."""
        return self.summary.get("new", 0) + self.summary.get("changed", 0)

    @property
    def figures(self) -> list[Figure]:
        """The four counts."""
        return [
            Figure("ok", "circle-plus", _("New"), self.summary.get("new", 0)),
            Figure("", "equal", _("Unchanged"), self.summary.get("unchanged", 0)),
            Figure("", "pencil", _("Changed"), self.summary.get("changed", 0)),
            Figure("bad", "circle-alert", _("Refused"), self.summary.get("refused", 0)),
        ]

    @property
    def columns(self) -> list[tuple[str, Any]]:
        """Return (header in the file, label of its meaning or None) of every column that has a header or is used."""
        header = self.summary.get("header", {"labels": [], "mapping": {}})
        mapping = {int(index): self.labels.get(name, name) for index, name in header["mapping"].items()}
        count = max([len(header["labels"]), *(index + 1 for index in mapping)])
        labels = [*header["labels"], *[""] * (count - len(header["labels"]))]
        named = [(label or column_name(i), mapping.get(i)) for i, label in enumerate(labels) if label or i in mapping]
        return [pair for pair in named if pair[1] is not None or pair[0]]

    @property
    def missing(self) -> list[Any]:
        """The labels of required columns that the file lacks."""
        return [self.labels[name] for name in self.summary.get("missing", ())]

    @property
    def ignored(self) -> str:
        """The headers of the first columns that are not imported."""
        found = checking.ignored(self.summary)
        return ", ".join(found[:IGNORED_SHOWN]) + ("…" if len(found) > IGNORED_SHOWN else "")

    @property
    def twice(self) -> list[tuple[Any, list[str]]]:
        """Return (label, headers in the file) of everything for which two columns of the file hold values."""
        labels = self.summary.get("header", {}).get("labels", [])
        return [
            (self.labels[name], [f"{letters(i)} ({labels[i]})" if labels[i] else letters(i) for i in indexes])
            for name, indexes in self.summary.get("twice", {}).items()
        ]

    @property
    def other_sheets(self) -> list[str]:
        """The names of the first sheets that are not read."""
        return [name for name in self.summary.get("sheets", ()) if name != self.summary.get("sheet")][:SHEETS_SHOWN]

    @property
    def readings(self) -> list[ShownReading]:
        """Return how each encoding reads a few cells, if the file does not declare its encoding."""
        found = self.summary.get("encoding")
        if not found:
            return []
        samples = found["samples"]
        first = samples[:READINGS_SHOWN]
        shown = first + [each for each in samples if each[0] == found["used"] and each not in first]
        return [ShownReading(codec, NAMES[codec], cells, codec == found["used"]) for codec, cells in shown]

    @property
    def is_encoding_unclear(self) -> bool:
        """Whether two of these may be right."""
        return bool(self.summary.get("encoding") and self.summary["encoding"]["is_unclear"])

    @property
    def hidden(self) -> int:
        """How many rows are read that the sheet hides."""
        return next((count for code, count, _rows in self.summary.get("notices", ()) if code == "hidden_rows"), 0)

    @property
    def is_without_hidden(self) -> bool:
        """Whether hidden rows are left out."""
        return any(code == "hidden_left_out" for code, _count, _rows in self.summary.get("notices", ()))

    @property
    def notices(self) -> list[tuple[str, str]]:
        """Return (sentence, the first rows or cells) of every notice."""
        return [
            (self.kind.sentences[code] % {"count": count, "n": _number(count)}, _first(rows, count))
            for code, count, rows in self.summary.get("notices", ())
        ]

    @cached_property
    def refused(self) -> list[Line]:
        """The first refused rows."""
        return self._lines(Verdict.REFUSED, REFUSED_SHOWN)

    @property
    def refused_beyond(self) -> int:
        """How many more refused rows there are."""
        return self.summary.get("refused", 0) - len(self.refused)

    @cached_property
    def changed(self) -> list[Line]:
        """The first rows that change what is registered."""
        return self._lines(Verdict.CHANGED, CHANGED_SHOWN)

    @property
    def changed_beyond(self) -> int:
        """How many more such rows there are."""
        return self.summary.get("changed", 0) - len(self.changed)

    @cached_property
    def new(self) -> list[Line]:
        """The first new rows as they are read, in the columns of `new_labels`."""
        names = [name for name, _label in self._told]
        return [
            Line(r.number, [self.kind.said(name, r.values) for name in names], "", [])
            for r in self._rows(Verdict.NEW, NEW_SHOWN)
        ]

    @property
    def new_labels(self) -> list[Any]:
        """The labels of the columns that the file has."""
        return [label for _name, label in self._told]

    @property
    def shown_labels(self) -> list[Any]:
        """The labels of the columns by which people recognise a row."""
        return [self.labels[name] for name in self.kind.shown]

    @property
    def _told(self) -> list[tuple[str, Any]]:
        used = set(self.summary.get("header", {}).get("mapping", {}).values())
        return [(name, label) for name, label in self.labels.items() if name in used]

    def _rows(self, verdict: Verdict, limit: int) -> list[Staged]:
        if not self.row.checked_as or not self.summary.get(verdict.name.lower()):
            return []
        try:
            return list(staging_of(self.row, self.kind).read(verdict, limit))
        except Refused:
            # The checked rows are deleted after 30 days. The counts stay.
            return []

    def _lines(self, verdict: Verdict, limit: int) -> list[Line]:
        return [
            Line(
                row.number,
                [str(row.values[name] or "") for name in self.kind.shown],
                row.reason,
                [
                    (str(self.labels.get(name, name)), _plain(old), _plain(new))
                    for name, (old, new) in row.changes.items()
                ],
            )
            for row in self._rows(verdict, limit)
        ]


class UploadForm(forms.Form):
    """A file to import. A subclass adds its other choices, which are kept if the file is refused."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=True,
        help_text=gettext_lazy("CSV, TSV or XLSX, with any of the usual separators and encodings, up to 250,000 rows."),
        error_messages={"required": gettext_lazy("Choose a file.")},
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.tab,.xlsx"}),
    )

    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        is_sent = request.method == "POST"
        super().__init__(request.POST if is_sent else None, request.FILES if is_sent else None, **kwargs)
        self.too_large = oversized(request, "file")
        if self.too_large:
            self.fields["file"].error_messages["required"] = self.too_large


class ColumnsForm(forms.Form):
    """Chooses the meaning of each column, the sheet of a workbook, the encoding, and which rows are read.

    A submission with a single choice and no columns, as from the buttons of the preview, leaves the rest unchanged.
    """

    def __init__(self, data: Any, row: FileImport, kind: type[Kind]) -> None:
        super().__init__(data)
        self.row, header = row, row.summary.get("header", {"labels": [], "mapping": {}})
        self.kind = kind
        sheets, choices = row.summary.get("sheets", []), _choices(kind.columns)
        if len(sheets) > 1:
            self.fields["sheet"] = forms.ChoiceField(
                label=_("Sheet"),
                choices=[(name, name) for name in sheets],
                initial=row.summary["sheet"],
                help_text=_("If you change the sheet, the columns are recognized again."),
            )
        if encoding := row.summary.get("encoding"):
            self.fields["encoding"] = forms.ChoiceField(
                label=_("Encoding"),
                choices=[(codec, NAMES[codec]) for codec, _cells in encoding["samples"]],
                initial=encoding["used"],
                help_text=_("If you change the encoding, the columns are recognized again."),
            )
        if data is not None and not any(name.startswith("column_") for name in data):
            said: dict[str, forms.Field] = {}
            for name in ("sheet", "encoding"):
                if name in data and name in self.fields:
                    said[name] = self.fields[name]
            if data.get("hidden") in HIDDEN:
                said["hidden"] = forms.CharField()
            if said:
                self.fields = said
                return
        for index, label in enumerate(header["labels"]):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=label or column_name(index), choices=choices, initial=header["mapping"].get(str(index), UNUSED)
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        chosen: dict[str, str] = {}
        for field, name in list(cleaned.items()):
            if not field.startswith("column_") or name == UNUSED:
                continue
            if name in chosen:
                sentence = _("“%(other)s” is already set to this. Choose one of them.")
                self.add_error(field, ValidationError(sentence % {"other": self.fields[chosen[name]].label}))
            chosen.setdefault(name, field)
        return cleaned

    def reading(self) -> dict[str, Any]:
        """Return how the file is to be read from now on."""
        if not self.fields:
            # The check was not completed, so there was nothing to choose.
            return self.row.reading
        kept, said = {**self.row.reading}, self.cleaned_data
        if "hidden" in said:
            return {**kept, "hidden": said["hidden"]}
        found = self.row.summary
        used = {"sheet": found.get("sheet", ""), "encoding": (found.get("encoding") or {}).get("used", "")}
        changed = {name: said[name] for name in used if said.get(name, used[name]) != used[name]}
        if changed:
            return {name: kept[name] for name in ("sheet", "encoding") if name in kept} | changed
        # Confirming the guess means choosing it.
        kept |= {name: said[name] for name in ("encoding",) if name in said}
        columns = {
            field.removeprefix("column_"): "" if name == UNUSED else name
            for field, name in said.items()
            if field.startswith("column_")
        }
        return {**kept, "columns": columns} if columns else kept


class ApplyForm(forms.Form):
    """The preview that the decision was based on, and whether the refused rows are left out."""

    version = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    good_rows = forms.BooleanField(required=False)


def column_name(index: int) -> str:
    """Return the name of a column without a header: "column C"."""
    return _("column %(letters)s") % {"letters": letters(index)}


def _choices(columns: tuple[Column, ...]) -> list[tuple[str, Any]]:
    return [(UNUSED, _("not used")), *((column.name, column.label) for column in columns)]


def _first(rows: list[Any], count: int) -> str:
    if isinstance(rows[0], str):
        return ", ".join(rows) + (" …" if count > len(rows) else "")
    named = {"rows": ", ".join(map(_number, rows))}
    if count == 1:
        return _("Row %(rows)s") % named
    return (
        _("Rows %(rows)s")
        if count == len(rows)
        else _("From row %(rows)s on")
        if len(rows) == 1
        else _("Rows %(rows)s …")
    ) % named


def _number(value: int) -> str:
    return number_format(value, force_grouping=True)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value) if value not in (None, "") else "—"
