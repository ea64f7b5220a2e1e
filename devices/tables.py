"""The columns of this app's lists. The rows are rendered by their row templates."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from console.listing import Table


class DeviceTable(Table):
    """Columns of the list of devices. Every order has an index."""

    serial = tables.Column(verbose_name=_("Serial"), order_by="serial_key")
    product = tables.Column(verbose_name=_("Product"), orderable=False, attrs={"th": {"class": "wide-only"}})
    status = tables.Column(verbose_name=_("Status"), orderable=False)
    owner = tables.Column(verbose_name=_("Owner"), orderable=False)
    since = tables.Column(verbose_name=_("Since"), orderable=False, attrs={"th": {"class": "wide-only"}})
    tags = tables.Column(verbose_name=_("Tags"), orderable=False, attrs={"th": {"class": "wide-only"}})
    registered = tables.Column(verbose_name=_("Registered"), order_by="id", attrs={"th": {"class": "wide-only"}})

    row_template = "devices/_device_row.html"
    empty_template = "devices/_device_empty.html"
    caption = _("Devices")
    default_order = "serial"
    selectable = True


class ProductTable(Table):
    """Columns of the list of products."""

    name = tables.Column(verbose_name=_("Name"), order_by="name_key")
    slug = tables.Column(verbose_name=_("Slug"), orderable=False, attrs={"th": {"class": "wide-only"}})
    platform = tables.Column(verbose_name=_("Platform"), orderable=False, attrs={"th": {"class": "wide-only"}})
    ownership = tables.Column(verbose_name=_("Ownership"), orderable=False)
    devices = tables.Column(verbose_name=_("Devices"), orderable=False, attrs={"th": {"class": "num"}})

    row_template = "devices/_product_row.html"
    empty_template = "devices/_product_empty.html"
    caption = _("Products")
    default_order = "name"


class PastSpanTable(Table):
    """Columns of ended ownerships, the last that began first."""

    began = tables.Column(order_by="started_at")

    default_order = "-began"
    page_size = 10
