"""Forms look alike everywhere: every page writes `{{ form }}` and nothing else."""

import unicodedata
from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_lazy as _


class Renderer(TemplatesSetting):
    """Label above, help below, error at the field."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"


class ReasonForm(forms.Form):
    """Asks why, for what can't be undone lightly."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It stays in the history."),
    )  # fmt: skip


def clean_text(value: str) -> str:
    """Text without surrounding white space. Raises ValidationError for invisible control and direction characters."""


    for character in value:
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} and character not in "\n\r\t\u200d\u00ad":
            raise forms.ValidationError(
                _("It holds an invisible control character (U+%(code)s)."), params={"code": f"{ord(character):04X}"}
            )
    return value.strip()


class TextGuard:
    """For forms: no text field takes invisible control characters."""

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]
        for name, value in list((cleaned or self.cleaned_data).items()):  # type: ignore[attr-defined]
            if isinstance(value, str):
                try:
                    self.cleaned_data[name] = clean_text(value)  # type: ignore[attr-defined]
                except forms.ValidationError as error:
                    self.add_error(name, error)  # type: ignore[attr-defined]
        return self.cleaned_data  # type: ignore[attr-defined]
