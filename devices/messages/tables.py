"""The columns of message lists; row templates render the rows."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from console.listing import Table


class MessageTable(Table):
    """The messages of one device, newest first."""

    at = tables.Column(verbose_name=_("Received"), order_by="at")
    name = tables.Column(verbose_name=_("Name"), orderable=False)
    data = tables.Column(verbose_name=_("Data"), orderable=False)
    device_at = tables.Column(
        verbose_name=_("Device's own time"), orderable=False, attrs={"th": {"class": "wide-only"}}
    )

    row_template = "devices/messages/_message_row.html"
    empty_template = "devices/messages/_message_empty.html"
    caption = _("Messages")
    default_order = "-at"
