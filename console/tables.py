"""The columns of this app's lists; the rows are drawn by their row templates."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from console.listing import Table


class EventTable(Table):
    """The audit log, in the order of its times."""

    what = tables.Column(verbose_name=_("What happened"), orderable=False)
    at = tables.Column(verbose_name=_("When"), order_by="at", attrs={"th": {"class": "end-text wide-only"}})

    row_template = "console/_event_row.html"
    empty_template = "console/_event_empty.html"
    caption = _("Activity")
    default_order = "-at"
