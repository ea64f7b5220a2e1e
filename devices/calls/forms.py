"""The form for calling a device."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms import TextGuard
from devices.calls.actions import MAX_ARGUMENT
from devices.messages.window import NAME
from devices.models import CallKind


class CallForm(TextGuard, forms.Form):
    """The variable or function, its argument, and how long to wait."""

    kind = forms.ChoiceField(
        label=_("Action"),
        widget=forms.RadioSelect,
        initial=CallKind.VARIABLE,
        choices=[(CallKind.VARIABLE, _("Read a variable")), (CallKind.FUNCTION, _("Call a function"))],
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        help_text=_("Its name in the firmware: letters, digits and _ . / -."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    argument = forms.CharField(
        label=_("Argument"), max_length=MAX_ARGUMENT, required=False, help_text=_("If the function takes one.")
    )
    timeout = forms.IntegerField(
        label=_("Timeout in seconds"),
        min_value=1,
        max_value=300,
        initial=30,
        help_text=_("1 to 300. If the device stays offline longer than this, the call expires."),
    )

    def clean_name(self) -> Any:
        """Validate the name against what devices accept."""
        name = self.cleaned_data["name"]
        if not NAME.match(name):
            raise forms.ValidationError(_("The name can contain only letters, digits and the characters _ . / -."))
        return name
