"""Columns of the lists of claim profiles, claims and devices. Row templates draw the rows."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from console.listing import Table

WIDE = {"th": {"class": "wide-only"}}


class ClaimProfileTable(Table):
    """The list of claim profiles."""

    name = tables.Column(verbose_name=_("Name"), order_by="name_key")
    codes = tables.Column(verbose_name=_("Codes"), orderable=False, attrs=WIDE)
    gives = tables.Column(verbose_name=_("Grants"), orderable=False, attrs=WIDE)
    state = tables.Column(verbose_name=_("State"), orderable=False)
    claims = tables.Column(verbose_name=_("Claims"), orderable=False, attrs={"th": {"class": "num"}})
    last_claimed = tables.Column(verbose_name=_("Last claimed"), orderable=False, attrs=WIDE)
    added = tables.Column(verbose_name=_("Added"), order_by="id", attrs=WIDE)

    row_template = "claims/profiles/_claim_profile_row.html"
    empty_template = "claims/profiles/_claim_profile_empty.html"
    caption = _("Claim profiles")
    default_order = "name"


class ClaimTable(Table):
    """The claims of a profile."""

    when = tables.Column(verbose_name=_("When"), order_by="id")
    customer = tables.Column(verbose_name=_("Customer"), orderable=False)
    who = tables.Column(verbose_name=_("Claimed by"), orderable=False, attrs=WIDE)
    given = tables.Column(verbose_name=_("Granted"), orderable=False)

    row_template = "claims/profiles/_claim_row.html"
    empty_template = "claims/profiles/_claim_empty.html"
    caption = _("Claims")
    default_order = "-when"


class UnitTable(Table):
    """The devices of a profile in the order of their registration, which the index of the codes provides."""

    serial = tables.Column(verbose_name=_("Serial"), orderable=False)
    product = tables.Column(verbose_name=_("Product"), orderable=False, attrs=WIDE)
    status = tables.Column(verbose_name=_("Status"), orderable=False)
    claimed = tables.Column(verbose_name=_("Claimed"), orderable=False)
    typed = tables.Column(verbose_name=_("Typed code"), orderable=False)
    registered = tables.Column(verbose_name=_("Registered"), order_by="id", attrs=WIDE)

    row_template = "claims/profiles/_unit_row.html"
    empty_template = "claims/profiles/_unit_empty.html"
    caption = _("Devices")
    default_order = "registered"
