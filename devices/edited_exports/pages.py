"""What the pages of edited exports need in addition to what all imports share."""

from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.fields import fold
from console.forms import clean_text
from console.imports import Staged, Verdict
from console.imports.preview import CHANGED_SHOWN, Figure, Preview
from devices.edited_exports.staged import Plan
from devices.models import RoundTrip


class Change(NamedTuple):
    """A row that changes its device: what happens to the owner, tags removed and added, and the notes."""

    number: int
    target: int
    serial_number: str
    device_name: str
    act: str
    owner: list[str]
    gone: list[str]
    added: list[str]
    notes: list[str]


class RoundTripPreview(Preview):
    """What the check of an edited list found. No row is ever new."""

    @property
    def figures(self) -> list[Figure]:
        """Return how many rows will change, are unchanged, and are refused."""
        changed, unchanged, refused = (self.summary.get(n, 0) for n in ("changed", "unchanged", "refused"))
        return [
            Figure("ok", "pencil", _("Will change"), changed),
            Figure("", "equal", _("Unchanged"), unchanged),
            Figure("bad", "circle-alert", _("Refused"), refused),
        ]

    @property
    def changes(self) -> list[Change]:
        """Return the first rows that change their devices."""
        return [_change(row) for row in self._rows(Verdict.CHANGED, CHANGED_SHOWN)]

    @property
    def changes_beyond(self) -> int:
        """Return how many changed rows are not shown."""
        return max(0, self.summary.get("changed", 0) - CHANGED_SHOWN)


class RoundTripApplyForm(forms.Form):
    """The preview that was decided on, the reason for taking devices, and whether to apply all rows or none."""

    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    is_whole = forms.BooleanField(
        label=gettext_lazy("All rows or none"),
        required=False,
        help_text=gettext_lazy(
            "If one row can't be applied, none is. Otherwise each row is applied or refused on its own."
        ),
    )

    def __init__(self, data: Any, row: RoundTrip, plan: Plan) -> None:
        super().__init__(data, initial={"version": row.version})
        reason = self.fields["reason"]
        reason.required = bool(plan.taken)
        reason.help_text = (
            _("Shown in the history of every device that loses its owner.")
            if plan.taken
            else _("Optional. Shown in the history.")
        )
        if not plan.moved:
            del self.fields["reason"]

    def clean_reason(self) -> str:
        """Remove invisible characters from the reason."""
        return clean_text(self.cleaned_data["reason"])


def _change(row: Staged) -> Change:
    changed = row.changes
    old, new = (_tags(text) for text in changed.get("tags", ["", ""]))
    return Change(
        row.number,
        row.target or 0,
        row.values["serial_number"],
        row.values["device_name"],
        row.values["act"],
        changed.get("owner", []),
        [old[key] for key in old if key not in new],
        [new[key] for key in new if key not in old],
        changed.get("notes", []),
    )


def _tags(text: str) -> dict[str, str]:
    return {fold(tag): tag.strip() for tag in text.split(",") if tag.strip()}
