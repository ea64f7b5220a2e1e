"""The table of API keys."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from console.listing import Table


class ApiKeyTable(Table):
    """Table of API keys, newest first."""

    name = tables.Column(verbose_name=_("Name"), orderable=False)
    owner = tables.Column(verbose_name=_("Belongs to"), orderable=False)
    scopes = tables.Column(verbose_name=_("Permissions"), orderable=False, attrs={"th": {"class": "wide-only"}})
    state = tables.Column(verbose_name=_("State"), orderable=False)
    used = tables.Column(verbose_name=_("Last used"), orderable=False, attrs={"th": {"class": "wide-only"}})
    made = tables.Column(verbose_name=_("Created"), order_by="id", attrs={"th": {"class": "wide-only"}})

    row_template = "customers/keys/_api_key_row.html"
    empty_template = "customers/keys/_api_key_empty.html"
    caption = _("API keys")
    default_order = "-made"
