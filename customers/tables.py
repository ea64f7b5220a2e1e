"""Tables of customers and API keys."""

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

    row_template = "customers/_customer_row.html"
    empty_template = "customers/_customer_empty.html"
    caption = _("Customers")
    default_order = "name"


class ApiKeyTable(Table):
    """Table of API keys, newest first."""

    name = tables.Column(verbose_name=_("Name"), orderable=False)
    owner = tables.Column(verbose_name=_("Of"), orderable=False)
    scopes = tables.Column(verbose_name=_("May"), orderable=False, attrs={"th": {"class": "wide-only"}})
    state = tables.Column(verbose_name=_("State"), orderable=False)
    used = tables.Column(verbose_name=_("Last used"), orderable=False, attrs={"th": {"class": "wide-only"}})
    made = tables.Column(verbose_name=_("Made"), order_by="id", attrs={"th": {"class": "wide-only"}})

    row_template = "customers/_api_key_row.html"
    empty_template = "customers/_api_key_empty.html"
    caption = _("API keys")
    default_order = "-made"
