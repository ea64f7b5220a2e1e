"""The forms of webhooks."""

from typing import Any, ClassVar

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.audit import public
from console.errors import Refused
from console.forms import TextGuard
from console.models import Webhook
from console.numbers import id_of
from console.webhooks import addresses, scopes
from console.webhooks.actions import FIELDS
from console.widgets import Checkboxes


class EventBoxes(Checkboxes):
    """Checkboxes below a legend, because the field is not a single box."""

    input_type = "checkboxes"


class WebhookForm(TextGuard, forms.Form):
    """Where to call and what to send. What a webhook is bound to is chosen once, when it is created."""

    IMPLIED: ClassVar = {"events": ["message_names"]}

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("A public https URL, such as https://example.com/hooks. Redirects aren't followed."),
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "class": "mono",
            }
        ),
    )
    description = forms.CharField(
        label=_("Description"), max_length=200, required=False, help_text=_("What it is for.")
    )
    events = forms.MultipleChoiceField(label=_("Events"), widget=EventBoxes)
    message_names = forms.CharField(
        label=_("Message names"),
        required=False,
        max_length=2000,
        help_text=_("Separated by commas, such as level, alarm. Leave empty for all messages."),
    )

    def __init__(self, *args: Any, scope: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With the event's name, because that is what the receiver reads.
        self.fields["events"].choices = [
            (name, format_html('<span>{} <code class="dim">{}</code></span>', label, name))
            for name, label in public.of_scope(scope)
        ]

    def clean_url(self) -> str:
        url = self.cleaned_data["url"].strip()
        try:
            addresses.parse(url)
        except Refused as refusal:
            raise forms.ValidationError(refusal.sentence, code=refusal.code) from None
        return url

    def clean_message_names(self) -> list[str]:
        """Ignore the names without the event `message`: the field is hidden then, and may still hold some."""
        if not public.has_names(self.cleaned_data.get("events", [])):
            return []
        return [name.strip() for name in self.cleaned_data["message_names"].split(",") if name.strip()]

    def refuse(self, refusal: Refused) -> None:
        """Show a refusal at the field that it is about."""
        field = FIELDS.get(refusal.code, "")
        self.add_error(field if field in self.fields else None, refusal.sentence)


def initial_of(hook: Webhook) -> dict[str, Any]:
    """Return the form's initial values for an existing webhook."""
    return {
        "url": hook.url,
        "description": hook.description,
        "events": hook.events,
        "message_names": ", ".join(hook.message_names),
    }


def bound_to(actor: Actor, values: Any) -> tuple[str, Any]:
    """Return the scope that the query asks for (`?product=3`, `?customer=17`) and its row, else the organization.

    Raises Refused if there is no such thing.
    """
    for scope in scopes.in_order():
        text = str(values.get(scope.name, ""))
        if text:
            row = scope.rows(actor).filter(pk=id_of(text)).first()
            if row is None:
                raise Refused(
                    "unknown_scope", _("There is no such product or customer. Choose another one."), status=404
                )
            return scope.name, row
    return public.ORGANIZATION, None
