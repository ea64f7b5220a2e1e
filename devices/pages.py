"""What a page of devices shows besides their own columns, read for the whole page at once."""

from django.http import HttpRequest

from console import sql
from console.listing import COUNT_CAP
from devices.models import Device, DeviceTag, Ownership, Product


def with_owner_details(request: HttpRequest, devices: list[Device]) -> None:
    """Set `since` (when the current ownership began) and `tag_names` on each device, with two queries for all."""
    ids = [device.pk for device in devices]
    since = dict(
        Ownership.objects.visible_to(request.actor).open().filter(device__in=ids).values_list("device", "started_at")
    )
    tags: dict[int, list[str]] = {}
    rows = DeviceTag.objects.filter(device__in=ids)  # unscoped: tags of devices that were visible
    for device_id, name in rows.values_list("device", "tag__name"):
        tags.setdefault(device_id, []).append(name)
    for device in devices:
        device.since = since.get(device.pk)  # type: ignore[attr-defined]
        device.tag_names = sorted(tags.get(device.pk, []))  # type: ignore[attr-defined]


def with_device_counts(request: HttpRequest, products: list[Product]) -> None:
    """Set `device_count` on each product, up to one more than is counted exactly; one query for all."""
    rows = Device.objects.visible_to(request.actor).current()  # type: ignore[attr-defined]
    counts = sql.capped_counts(Product, [product.pk for product in products], rows, "product_id", COUNT_CAP + 1)
    for product in products:
        product.device_count = counts.get(product.pk, 0)  # type: ignore[attr-defined]
