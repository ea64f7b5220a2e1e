"""Forms for receiving, inspecting and swapping devices, and for the return settings."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from claims.models import Grade, ReturnSettings, ReturnState
from claims.returns import choices as return_choices
from claims.returns.actions.inspection import DECISIONS, Findings
from claims.returns.choices import Choice
from claims.scanning import scans
from console.access import Actor
from console.fields import fold
from console.forms import ModelForm, TextGuard
from console.formsets import Rows, rows_of
from devices import causes
from devices.models import Device

BLANK_ROWS = 3


def _reason_choices(organization: Any, blank: Any, **kwargs: Any) -> list[tuple[str, Any]]:
    found = [(c.text, c.text) for c in return_choices.reasons(organization, **kwargs)]
    return [("", blank), *found] if blank is not None else found


class ReceiveForm(TextGuard, forms.Form):
    """Why the devices on the workbench came back."""

    reason = forms.ChoiceField(label=_("Reason"), required=False)
    note = forms.CharField(
        label=_("Note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept in the history of every device."),
    )

    def __init__(self, *args: Any, actor: Actor, asks_reason: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = asks_reason
        self.fields["reason"].error_messages["required"] = _("Choose a reason. For some devices, no customer gave one.")
        self.fields["reason"].choices = _reason_choices(actor.organization, _("As stated by the customer"))


class InspectForm(TextGuard, forms.Form):
    """The findings for one or more devices, and the decision about them."""

    grade = forms.ChoiceField(label=_("Grade"), required=False)
    note = forms.CharField(label=_("Note"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    decision = forms.ChoiceField(
        label=_("Decision"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            (ReturnState.RESTOCKED, _("Restock: back in stock as it is")),
            (ReturnState.REFURBISHED, _("Refurbished: repaired, back in stock")),
            (ReturnState.SCRAPPED, _("Scrap: never goes out again")),
            ("", _("Decide later: it stays in quarantine")),
        ],
    )

    def __init__(self, *args: Any, actor: Actor, must_grade: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.checklist = return_choices.checks(actor.organization)
        self.fields["grade"].required = must_grade
        self.fields["grade"].error_messages["required"] = _("Choose a grade.")
        blank = (
            []
            if must_grade and self.initial.get("grade")
            else [("", _("Choose…") if must_grade else _("Keep the previous grade"))]
        )
        self.fields["grade"].choices = [*blank, *Grade.choices]
        if not must_grade:
            self.fields["grade"].help_text = _("Leave empty to keep the previous grade.")
        found = {check["text"]: check["is_ok"] for check in self.initial.get("checks", [])}
        for number, check in enumerate(self.checklist):
            self.fields[f"check_{number}"] = forms.TypedChoiceField(
                label=check.text,
                required=False,
                widget=forms.RadioSelect,
                empty_value=None,
                choices=[("yes", _("In order")), ("no", _("Not in order"))],
                initial={True: "yes", False: "no"}.get(found.get(check.text)),  # type: ignore[arg-type]
            )

    @property
    def checks(self) -> list[Any]:
        """The fields of the checklist."""
        return [self[f"check_{number}"] for number in range(len(self.checklist))]

    def clean(self) -> Any:
        cleaned = super().clean()
        if cleaned.get("grade"):
            for number in range(len(self.checklist)):
                if not cleaned.get(f"check_{number}"):
                    self.add_error(f"check_{number}", _("Choose whether this is OK."))
        return cleaned

    @property
    def findings(self) -> Findings:
        """The findings, in the form that the action takes."""
        data = self.cleaned_data
        answers = [(check.text, data.get(f"check_{n}")) for n, check in enumerate(self.checklist)]
        checks = [{"text": text, "is_ok": answer == "yes"} for text, answer in answers if answer]
        return Findings(data["grade"], data["note"], checks)

    @property
    def decided(self) -> str:
        """The decision about the devices; empty if there is none yet."""
        chosen = self.cleaned_data["decision"]
        return chosen if chosen in DECISIONS else ""


class SwapForm(TextGuard, forms.Form):
    """The replacement of a customer's device, and why it is replaced."""

    replacement = forms.CharField(
        label=_("Replacement"),
        max_length=400,
        help_text=_("Scan or type a device in stock: serial number, device name or label."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono", "list": "in-stock", "autofocus": True}
        ),
    )
    other_product = forms.BooleanField(label=_("Replace with a different product"), required=False)
    reason = forms.ChoiceField(label=_("Reason"))
    note = forms.CharField(
        label=_("Note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept in the history of both devices."),
    )
    is_here = forms.BooleanField(
        label=_("The old device is here"),
        required=False,
        initial=True,
        help_text=_("Otherwise, its return stays requested until it is received."),
    )
    # Shown in a notice if a claim profile lists the old device.
    leaves_profiles = forms.BooleanField(required=False)

    def __init__(self, *args: Any, actor: Actor, device: Device, reason: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.device = actor, device
        self.fields["reason"].choices = _reason_choices(actor.organization, None)
        known = [name for name, _label in self.fields["reason"].choices]
        self.fields["reason"].initial = reason if reason in known else known[0]
        self.asks_product = False

    def clean_replacement(self) -> Device:
        found = scans.find(self.actor, self.cleaned_data["replacement"]).devices
        same = [device for device in found if device.product_id == self.device.product_id]
        found = same or found
        if not found:
            raise forms.ValidationError(_("No device matches. Scan it again, or type its serial number."))
        if len(found) > 1:
            raise forms.ValidationError(_("Several devices have this serial number. Use the device name."))
        if found[0].pk == self.device.pk:
            raise forms.ValidationError(_("That's the device being replaced. Scan the replacement."))
        if cause := causes.of(found[0]):
            raise forms.ValidationError(cause.sentence, code=cause.code)
        return found[0]

    def clean(self) -> Any:
        cleaned = super().clean()
        new = cleaned.get("replacement")
        if new is not None and new.product_id != self.device.product_id and not cleaned.get("other_product"):
            self.asks_product = True
            words = {"new": new.product, "old": self.device.product}
            said = _("The replacement's product is %(new)s, not %(old)s. Tick the box below to confirm.") % words
            self.add_error("replacement", said)
        return cleaned

    def terms(self) -> dict[str, Any]:
        """Return the arguments of the swap; the form must be valid."""
        taken = {name: self.cleaned_data[name] for name in ("reason", "note", "is_here", "leaves_profiles")}
        return {"new": self.cleaned_data["replacement"], **taken}


class SlipForm(TextGuard, ModelForm):
    """The address and the note on the slip of a return."""

    class Meta:
        model = ReturnSettings
        fields = ["address", "note"]
        widgets = {"address": forms.Textarea(attrs={"rows": 4}), "note": forms.Textarea(attrs={"rows": 2})}
        help_texts = {
            "address": _("Where customers send devices. Shown on their return slip."),
            "note": _("For example: include the power supply."),
        }

    def _post_clean(self) -> None:
        """Skip validation of the model instance: the form only checks, the action writes the row."""


class ChoiceRow(TextGuard, forms.Form):
    """One line of the reasons or the checklist: its text, its position, and whether it is offered."""

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    text = forms.CharField(label=_("Text"), max_length=80, required=False)
    position = forms.IntegerField(label=_("Place"), required=False, min_value=1, max_value=999)
    is_for_customers = forms.BooleanField(label=_("Offered to customers"), required=False)
    is_archived = forms.BooleanField(label=_("Archived"), required=False)

    def __init__(self, *args: Any, known: set[int | None], length: int, for_customers: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known
        self.fields["text"] = forms.CharField(label=_("Text"), max_length=length, required=False)
        if not for_customers:
            del self.fields["is_for_customers"]

    def clean_pk(self) -> int | None:
        pk = self.cleaned_data["pk"]
        return pk if pk in self.known else None

    def clean(self) -> Any:
        cleaned = super().clean()
        if cleaned.get("pk") and not cleaned.get("text") and "text" not in self.errors:
            self.add_error("text", _("Enter a text, or archive this entry."))
        return cleaned


class FixedRows(Rows):
    """The lines of the reasons or the checklist: as many as the page showed, each with its previous value."""

    def numbered(self, data: Any, prefix: str, initial: Sequence[dict[str, Any]]) -> Iterable[int]:
        """Return the numbers of the existing lines, whatever was submitted."""
        return range(len(initial))

    def before(self, data: Any, initial: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """Return the previous values of the lines."""
        return initial

    def initial_form_count(self) -> int:
        # Every line counts as existing, so that untouched ones are not skipped.
        return len(self.numbers)


ChoiceRows = rows_of(ChoiceRow, most=1_000, formset=FixedRows)


class ChoiceList(forms.Form):
    """The reasons or the checklist as one form: the existing lines, and some empty ones."""

    LIST_LABELS: ClassVar = {"reason": _("Reasons"), "check": _("Checklist")}

    def __init__(self, data: Any, choices: list[Choice], part: str, *, length: int = 80) -> None:
        super().__init__(data)
        # Default lines have no rows until the first save, so a second concurrent save finds the new rows by their text.
        self.by_text = {fold(c.text): c.pk for c in choices}
        last = len(choices) + BLANK_ROWS
        initial = [
            {
                "pk": c.pk,
                "text": c.text,
                "position": n,
                "is_for_customers": c.is_for_customers,
                "is_archived": c.is_archived,
            }
            for n, c in enumerate(choices, 1)
        ] + [{"position": n, "is_for_customers": True} for n in range(len(choices) + 1, last + 1)]
        terms: dict[str, Any] = {"known": {c.pk for c in choices}, "length": length, "for_customers": part != "check"}
        self.rows = ChoiceRows(data, prefix=part, initial=initial, **terms)
        self.lists = {part: self.rows}

    def is_valid(self) -> bool:
        """Whether every line is valid."""
        are_valid = self.rows.is_valid()
        return super().is_valid() and are_valid

    def named(self, names: set[str]) -> dict[str, Any]:
        """Return the choices of all lines that have a text, ordered by their positions."""
        rows = [row.cleaned_data for row in self.rows if row.cleaned_data.get("text")]
        rows.sort(key=lambda row: row["position"] or 1_000)
        taken = {row["pk"] for row in rows}
        for row in rows:
            same = self.by_text.get(fold(row["text"]))
            if row["pk"] is None and same not in taken:
                row["pk"] = same
        return {
            "choices": [
                Choice(row["text"], row["pk"], row.get("is_for_customers", True), row["is_archived"]) for row in rows
            ]
        }
