"""The columns of this app's lists; row templates draw the rows."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from console.listing import Table


class EventTable(Table):
    """The audit log, sorted by time."""

    what = tables.Column(verbose_name=_("What happened"), orderable=False)
    at = tables.Column(verbose_name=_("When"), order_by="at", attrs={"th": {"class": "end-text wide-only"}})

    row_template = "console/audit/_event_row.html"
    empty_template = "console/audit/_event_empty.html"
    caption = _("Activity")
    default_order = "-at"


class OperationTable(Table):
    """The operations of an organization, newest first."""

    title = tables.Column(verbose_name=_("Operation"), orderable=False)
    state = tables.Column(verbose_name=_("State"), orderable=False)
    succeeded = tables.Column(verbose_name=_("Succeeded"), orderable=False, attrs={"th": {"class": "num wide-only"}})
    refused = tables.Column(verbose_name=_("Refused"), orderable=False, attrs={"th": {"class": "num wide-only"}})
    by = tables.Column(verbose_name=_("Who"), orderable=False, attrs={"th": {"class": "wide-only"}})
    started = tables.Column(verbose_name=_("Started"), order_by="id", attrs={"th": {"class": "end-text wide-only"}})

    row_template = "console/_operation_row.html"
    empty_template = "console/_operation_empty.html"
    caption = _("Operations")
    default_order = "-started"
