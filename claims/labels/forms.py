"""The form for ordering labels."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from claims.labels import actions, stocks
from claims.labels.drawing import FIELDS, MOST_TEXT, USUAL, Options
from claims.labels.stocks import LEAST_MODULE, STOCKS
from claims.labels.writers import DRAWN, FORMS
from claims.models import ClaimProfile
from console.forms import TextGuard

MOST_SHIFT = 10
# Up to this many profiles are shown as radio buttons.
MOST_RADIOS = 5
# Remembered for the next time: everything that is not specific to these devices or to this sheet.
KEPT = ("stock", "output", "text", "fields_shown", "shift_x", "shift_y")


class LabelSheetForm(TextGuard, forms.Form):
    """What to print, on which stock and how. `profiles` are pairs of a profile and its number of devices."""

    stock = forms.ChoiceField(label=_("Labels"), choices=stocks.choices, initial="L7160")
    # Not "form": a field of that name hides the form itself from scripts.
    output = forms.ChoiceField(label=_("Format"), choices=list(FORMS.items()), initial="pdf", widget=forms.RadioSelect)
    profile = forms.ChoiceField(label=_("Codes from"), required=False)
    text = forms.CharField(
        label=_("Text"),
        max_length=MOST_TEXT,
        required=False,
        initial=_("Scan to claim"),
        help_text=_("Printed below the code. Leave empty for no text."),
    )
    fields_shown = forms.MultipleChoiceField(
        label=_("On the label"),
        choices=list(FIELDS.items()),
        required=False,
        initial=USUAL,
        widget=forms.CheckboxSelectMultiple,
    )
    start = forms.IntegerField(
        label=_("Start at label"),
        min_value=1,
        initial=1,
        help_text=_("For a partly used sheet; count left to right, row by row."),
    )
    shift_x = forms.FloatField(
        label=_("Move right, mm"),
        min_value=-MOST_SHIFT,
        max_value=MOST_SHIFT,
        initial=0,
        widget=forms.NumberInput(attrs={"step": "0.1"}),
    )
    shift_y = forms.FloatField(
        label=_("Move down, mm"),
        min_value=-MOST_SHIFT,
        max_value=MOST_SHIFT,
        initial=0,
        widget=forms.NumberInput(attrs={"step": "0.1"}),
        help_text=_(
            "If your printer is misaligned: print one sheet with outlines on plain paper and hold it against the "
            "labels."
        ),
    )
    outline = forms.BooleanField(label=_("Draw the labels' outlines"), required=False, help_text=_("For a test print."))

    def __init__(
        self,
        data: Any = None,
        *,
        profiles: list[tuple[ClaimProfile, int]],
        modules: int,
        kept: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        initial = {name: kept[name] for name in self.base_fields if name in kept}
        if initial.get("stock", "L7160") not in STOCKS:
            del initial["stock"]
        super().__init__(data, initial=initial, **kwargs)
        self.profiles, self.modules = profiles, modules
        if len(profiles) < 2:
            del self.fields["profile"]
        else:
            self._offer_profiles()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        stock = STOCKS.get(cleaned.get("stock", ""))
        if stock is None:
            return cleaned
        start = cleaned.get("start")
        if cleaned.get("output") == "pdf" and start and start > stock.per_page:
            sentence = ngettext(
                "This stock has %(n)d label per page.", "This stock has %(n)d labels per page.", stock.per_page
            )
            self.add_error("start", sentence % {"n": stock.per_page})
        if cleaned.get("output") in DRAWN and not stock.fits(self.modules):
            self.add_error(
                "stock",
                _(
                    "The link is too long for this label: its QR code would have modules of %(is)s mm, but needs at "
                    "least %(least)s mm to be readable. Choose a larger label."
                )
                % {"is": f"{stock.module(self.modules):.2f}", "least": LEAST_MODULE},
            )
        return cleaned

    @property
    def profile_id(self) -> int | None:
        """The profile whose codes are printed, or None for the newest code of each device.

        It is also None if there is only one profile.
        """
        text = self.cleaned_data.get("profile")
        return int(text) if text else None

    @property
    def sampled(self) -> ClaimProfile | None:
        """The chosen profile or, without a choice, the first one: its domain determines the link in the preview."""
        profiles = {profile.pk: profile for profile, _number in self.profiles}
        return profiles.get(self.profile_id or 0) or next(iter(profiles.values()), None)

    @property
    def options(self) -> Options:
        """The options for printing."""
        cleaned = self.cleaned_data
        is_sheet = cleaned["output"] == "pdf"
        return Options(
            stock=cleaned["stock"],
            text=cleaned["text"],
            fields=tuple(cleaned["fields_shown"]),
            start=cleaned["start"] if is_sheet else 1,
            shift_x=cleaned["shift_x"] if is_sheet else 0.0,
            shift_y=cleaned["shift_y"] if is_sheet else 0.0,
            outline=cleaned["outline"],
        )

    @property
    def kept(self) -> dict[str, Any]:
        """The settings to remember for the next time."""
        return {name: self.cleaned_data[name] for name in KEPT if name in self.cleaned_data}

    def _offer_profiles(self) -> None:
        field: Any = self.fields["profile"]
        choices = [
            (
                str(profile.pk),
                ngettext("%(name)s (%(n)s device)", "%(name)s (%(n)s devices)", n)
                % {"name": profile, "n": actions.grouped(n)},
            )
            for profile, n in self.profiles
        ]
        field.choices = [("", _now("The newest code of each device")), *choices]
        if len(choices) <= MOST_RADIOS:
            field.widget = forms.RadioSelect(choices=field.choices)
