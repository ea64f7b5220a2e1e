"""The form of a new API key."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Actor, CustomerScope, Permission
from console.forms import TextGuard
from console.widgets import Checkboxes
from customers.actions import api_keys
from customers.fields import CustomerField
from customers.models import Customer

LIVES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("a year")), ("", _("until it is revoked"))]


class ApiKeyForm(TextGuard, forms.Form):
    """A key of the organization, or of the customer that is named."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("Where it is used, such as “Line 3” or “ERP”.")
    )
    customer = CustomerField(
        label=_("Customer"), required=False,
        help_text=_("Empty: a key of your organization. Else it reaches this customer's devices and data alone."),
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(label=_("It may"), widget=Checkboxes, required=False)
    customer_scopes = forms.MultipleChoiceField(
        label=_("It may, as a customer"), widget=Checkboxes, required=False,
        choices=[(scope.value, scope.label) for scope in CustomerScope],
    )  # fmt: skip
    days = forms.ChoiceField(label=_("It lives"), choices=LIVES, required=False, initial="90")

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = Customer.objects.visible_to(actor).current()  # type: ignore[attr-defined]
        mine = api_keys.allowed(actor, None)
        self.fields["scopes"].choices = [(p.value, p.label) for p in Permission if p in mine]  # type: ignore[attr-defined]
        self.fields["scopes"].initial = [Permission.VIEW.value]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        wanted = "customer_scopes" if cleaned.get("customer") else "scopes"
        if not cleaned.get(wanted) and wanted not in self.errors:
            self.add_error(wanted, _("Choose what the key may do."))
        return cleaned

    def plan(self) -> dict[str, Any]:
        """What the action takes."""
        data, days = self.cleaned_data, self.cleaned_data.get("days")
        return {
            "name": data["name"], "customer": data.get("customer"),
            "scopes": data["customer_scopes"] if data.get("customer") else data["scopes"],
            "expires_at": timezone.now() + timedelta(days=int(days)) if days else None,
        }  # fmt: skip
