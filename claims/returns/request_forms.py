"""The form with which a customer requests a return."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from claims.returns import choices
from console.forms import TextGuard


class RequestForm(TextGuard, forms.Form):
    """Why a customer sends a device back."""

    reason = forms.ChoiceField(label=_("Reason"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Note"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What's wrong, and since when?"),
    )

    def __init__(self, *args: Any, organization: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [
            (choice.text, choices.in_words(choice.text)) for choice in choices.reasons(organization, for_customers=True)
        ]
