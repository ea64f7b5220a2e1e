"""Forms of customers and their people."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.fields import fold
from console.forms import TextGuard
from customers.models import Customer, CustomerRole


class CustomerForm(TextGuard, forms.ModelForm):
    """A customer. Two may have the same name, but not the same reference."""

    class Meta:
        model = Customer
        fields = ["kind", "name", "reference", "email", "phone", "address", "notes"]
        widgets = {
            "kind": forms.RadioSelect,
            "address": forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
            "notes": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["kind"].help_text = _("Internal: an account of your own organization.")

    def clean_reference(self) -> str:
        reference = self.cleaned_data["reference"].strip()
        others = Customer.objects.visible_to(self.actor).exclude(pk=self.instance.pk)
        if reference and others.filter(reference_key=fold(reference)).exists():
            raise forms.ValidationError(_("Another customer has this reference."))
        return reference

    def _post_clean(self) -> None:
        """The action writes the row; the form only checks."""


class PersonForm(TextGuard, forms.Form):
    """A person to invite."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=CustomerRole.choices, initial=CustomerRole.ADMIN)


class PersonRoleForm(forms.Form):
    """Another role for a person."""

    role = forms.ChoiceField(label=_("Role"), choices=CustomerRole.choices)
