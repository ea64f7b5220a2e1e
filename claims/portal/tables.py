"""Sort orders of the portal's lists; their templates render the rows."""

import django_tables2 as tables

from console.listing import Table

# Fewer than in the console, because a phone shows only a few at a time.
PAGE_SIZE = 25


class DeviceTable(Table):
    """Devices by serial number."""

    serial = tables.Column(order_by="serial_key")
    default_order = "serial"
    page_size = PAGE_SIZE


class PastTable(Table):
    """Past ownership spans, the most recently ended first."""

    ended = tables.Column(order_by="ended_at")
    default_order = "-ended"
    page_size = PAGE_SIZE


class MessageTable(Table):
    """Messages, newest first."""

    at = tables.Column(order_by="at")
    default_order = "-at"
    page_size = PAGE_SIZE


class CallTable(Table):
    """Calls, newest first."""

    at = tables.Column(order_by="id")
    default_order = "-at"
    page_size = PAGE_SIZE


class ApiKeyTable(Table):
    """API keys, newest first."""

    made = tables.Column(order_by="id")
    default_order = "-made"
    page_size = PAGE_SIZE
