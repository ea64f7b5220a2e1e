"""Edits of one row by a form, which several people may use at the same time.

A page carries a digest of each value that it showed. When it comes back, each field is in one of three states. Not
changed by this person: the current value stays. Changed by this person only: it is written. Changed by both: nothing is
saved, and the form shows both values. That form comes with fresh digests, so saving it again is a decision. All of this
happens while the row is locked, so nothing can change between the comparison and the write.

    edit = Edit(request, product, lambda data, row: ProductForm(data, instance=row, actor=request.actor),
                lambda row, values: products.edit(row, by=request.actor, **values))
    return redirect(edit.row) if edit.is_done else edit.page("devices/product_edit.html", product=product)
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from console import edits
from console.errors import Refused
from console.forms import refuse
from console.requests import Request
from console.transactions import retrying

SHOWN = "shown"
# What a browser would send, by the name of each control. A part is a field, or a list of rows.
Part = dict[str, list[str]]
LONGEST = 120


class Edit:
    """One request to the edit page of `row`.

    `make(data, row)` creates the form, unbound if data is None. `act(row, values)` saves the values that the person
    changed; its refusals are shown in the form, at the field `refused_at` or by the form's own `refuse`. A form with
    rows names them in `lists`; one whose fields depend on each other declares that in `IMPLIED`, see `named`.
    """

    def __init__(
        self,
        request: Request,
        row: Any,
        make: Callable[[Any, Any], Any],
        act: Callable[[Any, dict[str, Any]], Any],
        *,
        refused_at: str | None = None,
        is_posted: bool | None = None,
    ) -> None:
        self.request, self.row, self.make, self.act, self.refused_at = request, row, make, act, refused_at
        self.is_done, self.status = False, 200
        if request.method == "POST" if is_posted is None else is_posted:
            self._save()
        else:
            self.form = make(None, row)
            _seal(self.form, _parts(self.form))

    def page(self, template: str, **context: Any) -> HttpResponse:
        """Return the page with the form; `context` is what else it shows."""
        return render(self.request, template, {"form": self.form, **context}, status=self.status)

    @retrying
    def _save(self) -> None:
        self.row = edits.hold(self.row) if self.row.pk else self.row
        now, data = self.make(None, self.row), self.request.POST.copy()
        there, mine, shown = _parts(now), _sent(now, data), _read(data.get(SHOWN, ""))
        merged, met = [], []
        changed = []
        for part, value in there.items():
            yours = mine.get(part, {})
            if yours == value:
                continue
            if shown.get(part, _digest(yours)) == _digest(yours):
                _replace(data, yours, value)
                merged.append(part)
                continue
            changed.append(part)
            if shown[part] != _digest(value):
                met.append(part)
        data[SHOWN] = _written(there)
        self.form = self.make(data, self.row)
        _seal(self.form, there)
        is_valid = self.form.is_valid()
        if not shown:
            self.form.add_error(None, _("Part of this form is missing. Reload the page, then make your changes again."))
        for part in met:
            self._say_both(part, _say(now, part, there[part]), _say(self.form, part, mine.get(part, {})))
        if met:
            self.form.add_error(
                None,
                _(
                    "Someone else changed this while you were editing it. Nothing is saved yet. Compare both values "
                    "below, then save again to keep yours."
                ),
            )
        self.status = 409 if met else 422
        if is_valid and shown and not met:
            self._act(changed, merged)

    def _act(self, changed: list[str], merged: list[str]) -> None:
        try:
            if changed:
                self.act(self.row, named(self.form, changed))
        except Refused as refusal:
            refuse(self.form, refusal, self.refused_at)
            return
        self.is_done = True
        if merged:
            names = ", ".join(str(_label(self.form, part)) for part in merged)
            messages.info(
                self.request,
                _("Someone else changed this in the meantime: %(fields)s. Their change was kept.") % {"fields": names},
            )

    def _say_both(self, part: str, now: str, yours: str) -> None:
        sentence = _("Now: %(now)s · Yours: %(yours)s") % {"now": now, "yours": yours}
        if part in self.form.fields:
            self.form.add_error(part, sentence)
        else:
            self.form.add_error(None, f"{_label(self.form, part)}. {sentence}")


def named(form: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return the clean values of the named fields of a form: an edit writes no others.

    `IMPLIED` of the form says which fields follow from a named one, as the account follows from the ownership mode. A
    form whose values differ from its fields has its own `named`.
    """
    names = set(names)
    if hasattr(form, "named"):
        return form.named(names)
    implied = getattr(form, "IMPLIED", {})
    names |= {each for name in names for each in implied.get(name, ())}
    return {name: value for name, value in form.cleaned_data.items() if name in names}


def _seal(form: Any, there: dict[str, Part]) -> None:
    """Add the hidden field to the form that says which values it shows."""
    form.fields[SHOWN] = forms.CharField(required=False, widget=forms.HiddenInput({"id": False}))
    form.initial[SHOWN] = _written(there)


def _parts(form: Any) -> dict[str, Part]:
    """Return what a browser would send of this unbound form if nobody changed it, by its parts."""
    found = {bound.name: _shown_by(bound) for bound in form if not bound.field.disabled and bound.name != SHOWN}
    for name, rows in getattr(form, "lists", {}).items():
        found[name] = {key: sent for row in rows for bound in row for key, sent in _shown_by(bound).items()}
    return found


def _shown_by(bound: Any) -> Part:
    value, widget = bound.value(), bound.field.widget
    if isinstance(widget, forms.CheckboxInput):
        sent = ["on"] if value else []
    else:
        shown = widget.format_value(value)
        sent = _plain(shown if isinstance(shown, list | tuple) else [shown])
    return {bound.html_name: sent} if sent else {}


def _sent(form: Any, data: Any) -> dict[str, Part]:
    """Return what was sent, by the parts of the form."""
    found: dict[str, Part] = {}
    own = {bound.html_name: bound for bound in form if not bound.field.disabled}
    lists = getattr(form, "lists", {})
    for key in data:
        row = re.fullmatch(r"(\w+)-\d{1,4}-\w+", key)
        part = own[key].name if key in own else row[1] if row and row[1] in lists else None
        if part is None or part == SHOWN:
            continue
        sent = _plain(data.getlist(key))
        if part in own and isinstance(own[key].field.widget, forms.CheckboxInput):
            sent = ["on"] if own[key].field.widget.value_from_datadict(data, {}, key) else []
        if sent:
            found.setdefault(part, {})[key] = sent
    return found


def _plain(values: Iterable[Any]) -> list[str]:
    """Return the values as texts with normalised line ends; no value becomes an empty list."""
    texts = [str(value).replace("\r\n", "\n").strip() for value in values if value is not None]
    return [text for text in texts if text]


def _replace(data: Any, yours: Part, value: Part) -> None:
    for key in yours:
        del data[key]
    for key, sent in value.items():
        data.setlist(key, sent)


def _digest(part: Part) -> str:
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:12]


def _written(there: dict[str, Part]) -> str:
    return " ".join(f"{part}:{_digest(value)}" for part, value in there.items())


def _read(text: str) -> dict[str, str]:
    return dict(re.findall(r"([\w-]+):([0-9a-f]{12})", text[:20_000]))


def _label(form: Any, part: str) -> Any:
    labels = getattr(form, "LIST_LABELS", {})
    return labels.get(part) or (form.fields[part].label if part in form.fields else part)


def _say(form: Any, part: str, value: Part) -> str:
    """Return a short description of a part, in the form's words."""
    if part not in form.fields:
        rows = getattr(form, "lists", {}).get(part, ())
        words = [
            _in_words(bound.field, value[bound.html_name])
            for row in rows
            for bound in row
            if bound.html_name in value and not bound.is_hidden
        ]
        text = ", ".join(words)
    else:
        bound = form[part]
        text = _in_words(bound.field, value.get(bound.html_name, []))
    return (f"{text[:LONGEST]}…" if len(text) > LONGEST else text) or _("empty")


def _in_words(field: Any, sent: list[str]) -> str:
    if isinstance(field.widget, forms.CheckboxInput):
        return _("yes") if sent else _("no")
    if isinstance(field, forms.ModelChoiceField):
        try:
            return str(field.label_from_instance(field.to_python(sent[0]))) if sent else ""
        except forms.ValidationError:
            return sent[0]
    if isinstance(field, forms.ChoiceField):
        labels = {str(value): str(label) for value, label in _flat(field.choices)}
        return ", ".join(labels.get(each, each) for each in sent)
    return ", ".join(sent)


def _flat(choices: Any) -> Iterable[tuple[Any, Any]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield value, label
