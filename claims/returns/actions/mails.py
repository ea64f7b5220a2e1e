"""Emails to owners about devices that they sent back or that were taken back."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, override

from console import mail
from customers.models import Customer
from customers.people.roles import recipients
from devices.models import Device

LISTED = 20


def notify(template: str, customer: Customer, devices: Iterable[Device], *, reason: str = "", **more: Any) -> int:
    """Email the admins of the customer, or else its own address, once each.

    Returns how many emails were queued.
    """
    devices = sorted(devices, key=lambda device: device.serial_key)
    context = {
        "customer": customer,
        "organization": customer.organization,
        "reason": reason,
        "count": len(devices),
        "devices": devices[:LISTED],
        "beyond": max(0, len(devices) - LISTED),
        "link": settings.BASE_URL + reverse("portal:return_list"),
        **more,
    }
    found = recipients(customer)
    for address, language in found:
        with override(language or get_language()):
            mail.send(template, address, context)
    return len(found)
