"""Forms of the claim pages: the typed code, and the questions before the claim."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from claims import codes
from claims.redemption.actions.redemption import Claimant
from claims.redemption.offers import Offer
from console.forms import TextGuard
from customers.models import Customer, CustomerKind

LINK = re.compile(r".*/c/", re.IGNORECASE | re.DOTALL)
ANSWER = "answer_"


class TypedCodeForm(forms.Form):
    """Accepts a typed code or a whole claim link. Typing errors are detected without a look-up."""

    code = forms.CharField(
        label=_("Code on the label"),
        max_length=200,
        widget=forms.TextInput(
            {
                "autocomplete": "off",
                "autocapitalize": "characters",
                "autocorrect": "off",
                "spellcheck": "false",
                "placeholder": "7K3M-9QXD-2F8T-C",
                "class": "mono",
            }
        ),
        error_messages={"required": _("Enter the code on the label.")},
    )

    def clean_code(self) -> str:
        code = codes.normalise(LINK.sub("", self.cleaned_data["code"]))
        if codes.is_mistyped(code):
            raise forms.ValidationError(_("One character is wrong. Check the code against the label."))
        if len(code) not in {codes.TYPED_LENGTH, codes.LINK_LENGTH}:
            said = ngettext(
                "A code has 13 characters; this has %(n)d. Check it against the label.",
                "A code has 13 characters; this has %(n)d. Check it against the label.",
                len(code),
            )
            raise forms.ValidationError(said % {"n": len(code)})
        return code


class ReviewForm(TextGuard, forms.Form):
    """The questions before the claim: for whom it is made, and what the profile asks.

    Users of one customer are not asked for whom, users of several choose one, and new users enter a name.
    """

    nonce = forms.CharField(widget=forms.HiddenInput, max_length=64)
    customer = forms.ModelChoiceField(
        label=_("Claim for"), queryset=Customer.objects.none(), widget=forms.RadioSelect, empty_label=None
    )
    kind = forms.ChoiceField(
        label=_("Claim for"),
        widget=forms.RadioSelect,
        initial=CustomerKind.PERSON,
        choices=[(CustomerKind.PERSON.value, _("Myself")), (CustomerKind.COMPANY.value, _("A company"))],
    )
    name = forms.CharField(
        label=_("Name (person or company)"), max_length=120, widget=forms.TextInput({"autocomplete": "name"})
    )

    def __init__(self, *args: Any, offer: Offer, customers: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customers = list(customers)
        if len(self.customers) > 1:
            self.fields["customer"].queryset = customers
        else:
            del self.fields["customer"]
        if self.customers:
            del self.fields["kind"], self.fields["name"]
        else:
            self.fields["name"].initial = user.name
        for asked in offer.profile.form:
            self.fields[ANSWER + asked["name"]] = forms.CharField(
                label=asked["label"], required=bool(asked.get("required")), max_length=500
            )

    @property
    def claimant(self) -> Claimant:
        """Return for whom the code is claimed."""
        if not self.customers:
            return Claimant(kind=self.cleaned_data["kind"], name=self.cleaned_data["name"])
        return Claimant(self.cleaned_data.get("customer") or self.customers[0])

    @property
    def answers(self) -> dict[str, str]:
        """Return the answers, by the names of the questions in the profile's form."""
        return {name.removeprefix(ANSWER): text for name, text in self.cleaned_data.items() if name.startswith(ANSWER)}
