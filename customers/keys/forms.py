"""Forms for a new API key: one for staff, and one for a customer's admin."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Actor, CustomerScope, Permission
from console.forms import TextGuard
from console.widgets import Checkboxes
from customers.directory.fields import CustomerField, CustomerInput
from customers.keys.actions import api_keys
from customers.models import Customer

LIVES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("Never"))]


class KeyForm(TextGuard, forms.Form):
    """What every key has: a name, scopes and a lifetime."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Where it is used, such as “Line 3” or “ERP”."))
    days = forms.ChoiceField(
        label=_("Expires after"), choices=LIVES, required=False, initial="90", widget=forms.RadioSelect
    )

    def require(self, scopes: str) -> None:
        """Add an error to the field `scopes` if nothing is chosen."""
        if not self.cleaned_data.get(scopes) and scopes not in self.errors:
            self.add_error(scopes, _("Choose at least one permission for the key."))

    @property
    def expires_at(self) -> datetime | None:
        """Return when the key expires, or None if it is valid until revoked."""
        days = self.cleaned_data.get("days")
        return timezone.now() + timedelta(days=int(days)) if days else None


class ApiKeyForm(KeyForm):
    """Form for a key of the organization or, if one is named, of a customer."""

    customer = CustomerField(
        label=_("Customer"),
        required=False,
        widget=CustomerInput({"placeholder": _("None: the organization's own key")}),
        help_text=_("With a customer, the key reaches only this customer's devices and data."),
    )
    scopes = forms.MultipleChoiceField(label=_("Permissions"), widget=Checkboxes, required=False)
    customer_scopes = forms.MultipleChoiceField(
        label=_("Permissions as a customer"),
        widget=Checkboxes,
        required=False,
        choices=[(scope.value, scope.label) for scope in CustomerScope],
    )
    field_order = ["name", "customer", "scopes", "customer_scopes", "days"]

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = Customer.objects.visible_to(actor).current()
        mine = api_keys.allowed(actor, None)
        self.fields["scopes"].choices = [(p.value, p.label) for p in Permission if p in mine]
        self.fields["scopes"].initial = [Permission.VIEW.value]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.require("customer_scopes" if cleaned.get("customer") else "scopes")
        scopes = cleaned.get("scopes")
        if scopes and not cleaned.get("customer") and Permission.VIEW not in scopes:
            self.add_error(
                "scopes", _("Every response contains data, so also let the key see products, devices and customers.")
            )
        return cleaned

    def plan(self) -> dict[str, Any]:
        """Return the arguments of the action."""
        data = self.cleaned_data
        scopes = data["customer_scopes"] if data.get("customer") else data["scopes"]
        return {"name": data["name"], "customer": data.get("customer"), "scopes": scopes, "expires_at": self.expires_at}


class CustomerKeyForm(KeyForm):
    """Form for a key of a customer, created by its admin.

    An admin of several `customers` chooses one of them.
    """

    customer = forms.ModelChoiceField(
        label=_("Customer"), queryset=Customer.objects.none(), widget=forms.RadioSelect, empty_label=None
    )
    scopes = forms.MultipleChoiceField(label=_("Permissions"), widget=Checkboxes, required=False)
    field_order = ["customer", "name", "scopes", "days"]

    def __init__(self, *args: Any, actor: Actor, customers: QuerySet[Customer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customers = list(customers)
        # They are an admin of each customer; the action checks again for the chosen one.
        mine = api_keys.allowed(actor, self.customers[0])
        self.fields["scopes"].choices = [(s.value, s.label) for s in CustomerScope if s in mine]
        self.fields["scopes"].initial = [CustomerScope.READ.value]
        if len(self.customers) > 1:
            self.fields["customer"].queryset = customers
        else:
            del self.fields["customer"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.require("scopes")
        return cleaned

    def plan(self) -> dict[str, Any]:
        """Return the arguments of the action."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "customer": data.get("customer") or self.customers[0],
            "scopes": data["scopes"],
            "expires_at": self.expires_at,
        }
