"""The table of customers."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from console.listing import Table


class CustomerTable(Table):
    """Table of customers, including those without devices."""

    name = tables.Column(verbose_name=_("Name"), order_by="name_key")
    kind = tables.Column(verbose_name=_("Kind"), orderable=False, attrs={"th": {"class": "wide-only"}})
    reference = tables.Column(verbose_name=_("Reference"), orderable=False, attrs={"th": {"class": "wide-only"}})
    devices = tables.Column(verbose_name=_("Devices"), orderable=False, attrs={"th": {"class": "num"}})
    people = tables.Column(verbose_name=_("People"), orderable=False, attrs={"th": {"class": "num"}})
    since = tables.Column(verbose_name=_("Since"), order_by="id", attrs={"th": {"class": "wide-only"}})

    row_template = "customers/directory/_customer_row.html"
    empty_template = "customers/directory/_customer_empty.html"
    caption = _("Customers")
    default_order = "name"
