"""The columns and filters of a webhook's log; the row template draws the rows."""

import django_filters as filters
import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from console.audit import public
from console.listing import Table
from console.models import DeliveryState, WebhookDelivery
from console.widgets import Checkboxes


class DeliveryTable(Table):
    """The calls of one webhook, newest first."""

    what = tables.Column(verbose_name=_("Event"), orderable=False)
    about = tables.Column(verbose_name=_("About"), orderable=False, attrs={"th": {"class": "wide-only"}})
    state = tables.Column(verbose_name=_("State"), orderable=False)
    attempts = tables.Column(verbose_name=_("Attempts"), orderable=False, attrs={"th": {"class": "num wide-only"}})
    at = tables.Column(verbose_name=_("When"), order_by="id", attrs={"th": {"class": "end-text"}})

    row_template = "console/webhooks/_webhook_delivery_row.html"
    empty_template = "console/webhooks/_webhook_delivery_empty.html"
    caption = _("Calls")
    default_order = "-at"


class DeliveryFilter(filters.FilterSet):
    """Filters deliveries by state and by event; each has its index."""

    state = filters.MultipleChoiceFilter(
        choices=DeliveryState.choices, label=_("State"), widget=Checkboxes, distinct=False
    )
    kind = filters.ChoiceFilter(
        choices=lambda: [(event.name, event.label) for event in public.in_order()],
        label=_("Event"),
    )

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []
