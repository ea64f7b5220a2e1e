"""Data of the label pages, and the files that they deliver."""

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from claims.labels import actions, files, pictures, selecting, units
from claims.labels.drawing import FIELDS, Layout, Options
from claims.labels.forms import LabelSheetForm
from claims.labels.pdf import Pdf
from claims.labels.stocks import STOCKS
from claims.labels.table import HEADER, Rows
from claims.labels.writers import DRAWN, FORMS
from claims.models import LabelSheet
from claims.paper import fonts
from console.bulk import Selection
from console.downloads import File
from console.errors import Refused
from console.operations import IN_REQUEST
from console.requests import Request

# The session key for the settings that this person used the last time.
REMEMBERED = "label_sheet"
NAMED, ROWS_SHOWN = 10, 5
TYPES = {"pdf": Pdf.content_type, "csv": Rows.content_type}


@dataclass
class Job:
    """The devices to print labels for, and the form that says how."""

    request: Request
    chosen: Selection

    @cached_property
    def total(self) -> int:
        """The number of selected devices. Raises Refused (422) if there are too many for one file."""
        count = self.chosen.rows.order_by()[: actions.MOST + 1].count()
        actions.check_number(count)
        return count

    @cached_property
    def form(self) -> LabelSheetForm:
        """The form as submitted, or with the values that this person used the last time."""
        profiles = units.profiles_of(self.chosen.rows, by=self.request.actor)
        return LabelSheetForm(
            self.request.POST if self.request.method == "POST" else None,
            profiles=profiles,
            modules=units.modules([profile for profile, _number in profiles]),
            kept={**self.request.session.get(REMEMBERED, {}), **self._named_profile()},
        )

    @cached_property
    def shown(self) -> LabelSheetForm:
        """The form that the preview shows: as submitted, or as if submitted untouched."""
        return self.form if self.form.is_bound else _as_sent(self)

    @cached_property
    def is_drawable(self) -> bool:
        """Whether the form has values to draw a preview from, even if the selection is refused afterwards."""
        return self.shown.is_valid()

    @property
    def is_final(self) -> bool:
        """Whether the labels are to be printed and the form is valid."""
        return self.request.method == "POST" and "preview" not in self.request.POST and self.is_drawable

    @property
    def is_preview(self) -> bool:
        """Whether the request asks only for a new preview."""
        return self.request.htmx.target == "label-preview"

    def context(self) -> dict[str, Any]:
        """Return the template context of the page."""
        shown, is_right, total = self.shown, self.is_drawable, self.total
        without = units.without_code(self.chosen.rows, shown.profile_id if is_right else None)
        lacking = without.order_by().count()
        unset, unset_texts = (self._unset_serials(shown), self._unset_texts(shown)) if is_right else ([], [])
        return {
            "form": self.form,
            "chosen": self.chosen,
            "total": total,
            "lacking": lacking,
            "named": list(without.order_by("serial_key", "pk").values_list("serial_number", flat=True)[:NAMED]),
            "unnamed": max(0, lacking - NAMED),
            "unset": len(unset),
            "unset_named": [(serial, fonts.lacking(serial)) for serial in unset[:NAMED]],
            "unset_unnamed": max(0, len(unset) - NAMED),
            "unset_texts": unset_texts,
            "printable": total - lacking - len(unset),
            "in_background": total > IN_REQUEST,
            "preview": self._preview(shown) if is_right else None,
            "ids": ",".join(map(str, self._some_ids(without))) if lacking else "",
        }

    def ids(self) -> list[int]:
        """Return the ids in printing order, by serial number. Raises SelectionChanged if other devices match by now."""
        shown = set(self.chosen.ids)
        ordered = self.chosen.rows.order_by("serial_key", "pk").values_list("pk", flat=True)[: actions.MOST]
        return [pk for pk in ordered if pk in shown]

    def _named_profile(self) -> dict[str, Any]:
        """Return the claim profile as an initial value, if the devices were selected by profile."""
        pairs = dict(self.chosen.said)
        return {"profile": pairs["claim_profile"]} if "claim_profile" in pairs else {}

    def _some_ids(self, rows: Any) -> list[int]:
        return list(rows.order_by("pk").values_list("pk", flat=True)[:IN_REQUEST])

    def _with_code(self, form: LabelSheetForm) -> Any:
        without = units.without_code(self.chosen.rows, form.profile_id)
        return self.chosen.rows.exclude(pk__in=without.order_by().values("pk"))

    def _unset_serials(self, form: LabelSheetForm) -> list[str]:
        """Return the serial numbers with letters that no typeface has, of devices that have a code.

        A label that shows "?" in a serial number is of no use.
        """
        if form.cleaned_data["output"] not in DRAWN or "serial" not in form.options.fields:
            return []
        rows = self._with_code(form).filter(serial_number__regex=r"[^ -~]").order_by("serial_key", "pk")
        return [serial for serial in rows.values_list("serial_number", flat=True) if fonts.lacking(serial)]

    def _unset_texts(self, form: LabelSheetForm) -> list[tuple[Any, str, str, int]]:
        """Return the other texts with letters that no typeface has: (description, text, letters, number of labels)."""
        if form.cleaned_data["output"] not in DRAWN:
            return []
        options = form.options
        found: list[tuple[Any, str, int]] = []
        if "product" in options.fields:
            rows = self._with_code(form).order_by().values_list("product__name").annotate(n=Count("pk"))
            found += [(FIELDS["product"], name, n) for name, n in rows]
        if "brand" in options.fields:
            found.append((FIELDS["brand"], self.request.actor.organization.brand, self.total))
        found.append((form.fields["text"].label, options.text, self.total))
        return [(what, text, fonts.lacking(text), n) for what, text, n in found if fonts.lacking(text)]

    def _preview(self, form: LabelSheetForm) -> dict[str, Any] | None:
        """Return the preview: the first page, label or rows, with sample codes that cannot be claimed."""
        options, kind = form.options, form.cleaned_data["output"]
        actor = self.request.actor
        rows = self._with_code(form).select_related("product")
        room = {"pdf": options.sheet.per_page - options.start + 1, "csv": ROWS_SHOWN}.get(kind, 1)
        unset = self._unset_serials(form)
        found = list(rows.exclude(serial_number__in=unset).order_by("serial_key", "pk")[:room])
        if not found:
            return None
        drawn = units.samples(found, form.sampled, by=actor)
        if kind == "csv":
            cells = [[unit.serial, unit.product, unit.link, unit.typed, unit.name] for unit in drawn]
            return {"header": HEADER, "rows": cells}
        return {"image": _image(kind, options, drawn), "kind": kind, "is_sheet": options.sheet.is_sheet}


def job(request: Request) -> Job:
    """Return the job that the query string or the form describes."""
    return Job(request, selecting.chosen_units(request))


def plan(job: Job) -> dict[str, Any]:
    """Return the form's settings as arguments of the print actions."""
    form = job.form
    return {"profile_id": form.profile_id, "form": form.cleaned_data["output"], "options": form.options}


def ids_to_print(job: Job) -> list[int]:
    """Return the ids of the devices to print, in order. Raises Refused (422) if there are none or too many."""
    actions.check_number(job.total)
    if ids := job.ids():
        return ids
    raise Refused("nothing_selected", _("Nothing is selected. Select rows in the list first."), status=422)


def download(sheet: LabelSheet, *, by: Any, is_taken: bool = True) -> File:
    """Return the file that the worker created and, if `is_taken`, log the download.

    Raises Refused (409) if the file is not ready yet or no longer kept.
    """
    if not sheet.file_name:
        raise Refused("not_ready", _("These labels aren't ready yet. Wait until they are printed."))
    try:
        file = files.STORE.path_of(sheet.file_name).open("rb")
    except OSError:
        raise gone() from None
    if is_taken:
        actions.note_download(sheet, by=by)
    return as_file(file, sheet)


def gone() -> Refused:
    """Return the Refused (409) for a file that no longer exists."""
    return Refused("file_gone", _("This file was deleted after 7 days. Print the labels again."))


def detail(sheet: LabelSheet) -> dict[str, Any]:
    """Return the progress of a label sheet, and whether its file is available."""
    name_all(None, [sheet])
    return {"sheet": sheet, "operation": sheet.operation, "is_kept": sheet.is_kept, "days": files.STORE.kept.days}


def name_all(request: Any, sheets: list[LabelSheet]) -> None:
    """Set the names of stock and format on each sheet, and whether its file is available."""
    for sheet in sheets:
        stock = STOCKS.get(sheet.stock)
        sheet.stock_name = str(stock) if stock and sheet.form in DRAWN else "—"
        sheet.form_name = FORMS.get(sheet.form, sheet.form)
        sheet.is_kept = files.STORE.is_kept(sheet.file_name)


def _as_sent(job: Job) -> LabelSheetForm:
    """Return the untouched form as if submitted with its initial values, to draw its first preview."""
    form = job.form
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data = {name: value for name, value in data.items() if value is not None}
    return LabelSheetForm(data, profiles=form.profiles, modules=form.modules, kept={})


def _image(kind: str, options: Options, drawn: list[Any]) -> str:
    """Return the preview as a data URL of an SVG image, so that the page cannot run anything in it."""
    text = pictures.page_svg(options, drawn) if kind == "pdf" else pictures.svg(Layout(options), drawn[0])
    return f"data:image/svg+xml;base64,{base64.b64encode(text.encode()).decode()}"


def as_file(content: bytes | IO[bytes], sheet: LabelSheet) -> File:
    """Return a sheet's labels as a file that no cache stores: anybody who has it can claim."""
    ending = sheet.form if sheet.form in TYPES else "zip"
    name = f"labels-{sheet.stock}-{timezone.localdate():%Y-%m-%d}.{ending}"
    return File(content, TYPES.get(sheet.form, "application/zip"), name)
