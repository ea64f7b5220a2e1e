"""Columns of the list of printed labels."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from claims.profiles.tables import WIDE
from console.listing import Table


class LabelSheetTable(Table):
    """The list of printed labels."""

    when = tables.Column(verbose_name=_("When"), order_by="id")
    labels = tables.Column(verbose_name=_("Labels"), orderable=False, attrs={"th": {"class": "num"}})
    stock = tables.Column(verbose_name=_("Stock"), orderable=False, attrs=WIDE)
    form = tables.Column(verbose_name=_("Format"), orderable=False, attrs=WIDE)
    who = tables.Column(verbose_name=_("Printed by"), orderable=False, attrs=WIDE)
    state = tables.Column(verbose_name=_("State"), orderable=False)

    row_template = "claims/labels/_label_sheet_row.html"
    empty_template = "claims/labels/_label_sheet_empty.html"
    caption = _("Printed labels")
    default_order = "-when"
