"""The columns of the shipment list. A row template renders the rows."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from claims.profiles.tables import WIDE
from console.listing import Table


class ShipmentTable(Table):
    """The shipment list, newest first."""

    number = tables.Column(verbose_name=_("Number"), order_by="id")
    customer = tables.Column(verbose_name=_("Customer"), orderable=False)
    order = tables.Column(verbose_name=_("Order"), orderable=False, attrs=WIDE)
    state = tables.Column(verbose_name=_("State"), orderable=False)
    units = tables.Column(verbose_name=_("Devices"), orderable=False, attrs={"th": {"class": "num"}})
    opened = tables.Column(verbose_name=_("Created"), orderable=False, attrs=WIDE)
    shipped = tables.Column(verbose_name=_("Shipped"), orderable=False, attrs=WIDE)

    row_template = "claims/shipments/_shipment_row.html"
    empty_template = "claims/shipments/_shipment_empty.html"
    caption = _("Shipments")
    default_order = "-number"
