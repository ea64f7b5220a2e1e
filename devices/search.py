"""Finds devices and products for the global search."""

from django.db.models import Q
from django.utils.translation import gettext as _

from console import words
from console.access import Actor
from console.fields import fold, prefix
from console.search import Hit, listed
from devices.lookup import identified_by, keys_of
from devices.models import Device, Product


def find(actor: Actor, text: str, limit: int) -> list[Hit]:
    """Find devices by serial number, device name, IMEI, ICCID or MAC, and products by name. Exact ones rank first."""
    rows = Device.objects.visible_to(actor).select_related("product", "customer")
    exact = list(rows.filter(identified_by([keys_of(text)])).order_by("archived_at", "pk")[:limit])
    low, high = prefix(text[:64])
    begins = rows.current().filter(serial_key__gte=low, serial_key__lt=high).order_by("serial_key", "pk")[:limit]
    named = rows.current().filter(name_key__gte=low, name_key__lt=high).order_by("name_key")[:limit]
    known = {device.pk for device in exact}
    others = {device.pk: device for device in [*begins, *named] if device.pk not in known}
    more = listed("devices:device_list", text)
    hits = [_hit(device, 0, more) for device in exact] + [
        _hit(device, 1, more) for device in list(others.values())[:limit]
    ]
    called = words.beginning("product", text[:64]) or Q(name_key__gte=low, name_key__lt=high)
    products = Product.objects.visible_to(actor).current().filter(called).order_by("name_key")[:limit]
    return hits + [
        Hit(
            kind=_("Product"),
            icon="box",
            title=p.name,
            detail=p.platform,
            url=p.get_absolute_url(),
            rank=0 if p.name_key == fold(text) else 1,
        )
        for p in products
    ]


def _hit(device: Device, rank: int, more: str) -> Hit:
    owner = device.customer.name if device.customer else device.get_status_display()
    return Hit(
        kind=_("Device"),
        icon="cpu",
        title=device.serial_number,
        detail=f"{device.product} · {owner}",
        url=device.get_absolute_url(),
        rank=rank,
        more=more,
    )
