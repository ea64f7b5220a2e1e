"""The orders of the portal's lists; how a row looks is in its templates."""

import django_tables2 as tables

from console.listing import Table

# Less than in the console: a phone shows few at a time.
PAGE_SIZE = 25


class DeviceTable(Table):
    """Devices by serial number."""

    serial = tables.Column(order_by="serial_key")
    default_order = "serial"
    page_size = PAGE_SIZE


class PastTable(Table):
    """Past spans, the last that ended first."""

    ended = tables.Column(order_by="ended_at")
    default_order = "-ended"
    page_size = PAGE_SIZE


class MessageTable(Table):
    """Messages, the newest first."""

    at = tables.Column(order_by="at")
    default_order = "-at"
    page_size = PAGE_SIZE


class CallTable(Table):
    """Calls, the newest first."""

    at = tables.Column(order_by="id")
    default_order = "-at"
    page_size = PAGE_SIZE


class ApiKeyTable(Table):
    """API keys, the newest first."""

    made = tables.Column(order_by="id")
    default_order = "-made"
    page_size = PAGE_SIZE
