"""Emails to customers about what was shipped."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, override

from claims.models import Shipment
from console import mail, sql
from customers.people.roles import recipients
from devices.models import Device

LISTED = 20


def notify(shipment: Shipment, device_ids: list[int]) -> int:
    """Email the customer's admins, or else its own address, once each. Returns the number of emails."""
    rows = sql.having_ids(Device.objects.order_by("serial_key", "pk"), "id", device_ids)
    context = {
        "shipment": shipment,
        "organization": shipment.customer.organization,
        "customer": shipment.customer,
        "devices": list(rows[:LISTED]),
        "count": len(device_ids),
        "beyond": max(0, len(device_ids) - LISTED),
        "link": settings.BASE_URL + reverse("claim:landing" if shipment.is_sent else "portal:home"),
    }
    found = recipients(shipment.customer)
    for address, language in found:
        with override(language or get_language()):
            mail.send("customer_shipped", address, context)
    return len(found)
