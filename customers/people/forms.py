"""Forms for the people of a customer."""

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms import AddressField, TextGuard
from customers.models import CustomerRole

# What each role means, as shown in forms.
ROLES = [
    (CustomerRole.ADMIN, _("Admin: sees and claims devices, and manages the account")),
    (CustomerRole.OPERATOR, _("Operator: sees and claims devices")),
    (CustomerRole.VIEWER, _("Viewer: sees devices")),
]


class PersonForm(TextGuard, forms.Form):
    """Form to invite a person."""

    email = AddressField(max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial=CustomerRole.ADMIN, widget=forms.RadioSelect)


class PersonRoleForm(forms.Form):
    """Form to give a person another role."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLES, widget=forms.RadioSelect)
