"""The form of a customer."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.fields import fold
from console.forms import ModelForm, TextGuard
from customers.models import Customer, CustomerKind

# How many customers of the same name are shown at most.
TWINS = 5

KINDS = [
    (CustomerKind.COMPANY, _("Company")),
    (CustomerKind.PERSON, _("Person")),
    (CustomerKind.INTERNAL, _("Internal: an account of your own organization")),
]


class CustomerForm(TextGuard, ModelForm):
    """Form of a customer. Two may share a name if the person confirms it, but never a reference."""

    class Meta:
        model = Customer
        fields = ["kind", "name", "reference", "email", "phone", "address", "notes", "may_take"]
        widgets = {
            "kind": forms.RadioSelect,
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "reference": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            "email": forms.EmailInput(attrs={"autocomplete": "off"}),
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
            "address": forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
            "notes": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "email": _("For contacting the customer. Doesn't give access to the portal."),
            "notes": _("Visible to your organization only."),
        }

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others = Customer.objects.visible_to(actor).exclude(pk=self.instance.pk)
        self.twins: list[Customer] = []
        self.fields["kind"].choices = KINDS

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in ("name", "reference", "phone"):
            if name in cleaned:
                cleaned[name] = " ".join(cleaned[name].split())
        reference = cleaned.get("reference")
        if reference and self.others.filter(reference_key=fold(reference)[:200]).exists():
            self.add_error("reference", _("Another customer has this reference."))
        self._look_for_twins(cleaned.get("name", ""))
        return cleaned

    def _look_for_twins(self, name: str) -> None:
        """Report once that a customer of this name exists; the button shown then confirms another one."""
        key = fold(name)[:200]
        if not name or key == self.instance.name_key:
            return
        self.twins = list(self.others.filter(name_key=key).order_by("archived_at", "pk")[:TWINS])
        if self.twins and not self.data.get("same_name"):
            self.add_error("name", _("A customer with this name already exists. Is this a different one?"))

    def _post_clean(self) -> None:
        """Do nothing: the action writes the row, the form only checks it."""
