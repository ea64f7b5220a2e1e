"""The form of a project, and the form that ends a person's access."""

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms import TextGuard


class ProjectForm(TextGuard, forms.Form):
    """Form with the name of a project."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("Visible to everyone with access to the project."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class EndForm(TextGuard, forms.Form):
    """Form with an optional reason."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Shown in the history."),
    )
