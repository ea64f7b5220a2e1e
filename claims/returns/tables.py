"""Columns of the lists of returns; their row templates render the cells."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from claims.profiles.tables import WIDE
from console.listing import Table


class ReturnTable(Table):
    """Returns, newest first."""

    number = tables.Column(verbose_name=_("Number"), order_by="id")
    device = tables.Column(verbose_name=_("Device"), orderable=False)
    customer = tables.Column(verbose_name=_("Customer"), orderable=False, attrs=WIDE)
    state = tables.Column(verbose_name=_("State"), orderable=False)
    reason = tables.Column(verbose_name=_("Reason"), orderable=False, attrs=WIDE)
    grade = tables.Column(verbose_name=_("Grade"), orderable=False, attrs=WIDE)
    opened = tables.Column(verbose_name=_("Since"), orderable=False, attrs=WIDE)

    row_template = "claims/returns/_return_row.html"
    empty_template = "claims/returns/_return_empty.html"
    caption = _("Returns")
    default_order = "-number"
    selectable = True


class LabelQueueTable(Table):
    """Devices that need a new label, those that have waited longest first."""

    device = tables.Column(verbose_name=_("Device"), orderable=False)
    product = tables.Column(verbose_name=_("Product"), orderable=False, attrs=WIDE)
    status = tables.Column(verbose_name=_("Status"), orderable=False)
    number = tables.Column(verbose_name=_("Return"), order_by="id", attrs=WIDE)
    opened = tables.Column(verbose_name=_("Received"), orderable=False, attrs=WIDE)

    row_template = "claims/labels/_return_label_row.html"
    empty_template = "claims/labels/_return_label_empty.html"
    caption = _("Devices that need a new label")
    default_order = "number"
    selectable = True


class PortalReturnTable(Table):
    """A customer's returns, newest first."""

    number = tables.Column(order_by="id")
    default_order = "-number"
    page_size = 25
