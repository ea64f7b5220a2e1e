"""The secrets by which devices prove who they are."""

import hashlib
import secrets
from collections.abc import Iterable
from uuid import uuid4

from console import sql
from console.access import Actor
from console.transactions import retrying
from devices import events
from devices.log import record_devices
from devices.models import Device


def sha256(secret: str) -> str:
    """What is kept of a secret, as a manifest's import keeps it."""
    return hashlib.sha256(secret.encode()).hexdigest()


@retrying
def renew(device_ids: Iterable[int], *, by: Actor) -> dict[int, str]:
    """Give the devices new secrets of 256 bits; the old ones are refused at once. Returns them, for this once."""
    rows = sql.having_ids(Device.objects.visible_to(by), "id", list(device_ids)).filter(archived_at=None)
    made = {pk: secrets.token_urlsafe(32) for pk in rows.order_by("pk").values_list("pk", flat=True)}
    changed = [Device(pk=pk, secret_sha256=sha256(secret)) for pk, secret in made.items()]
    sql.update_rows(Device, changed, ["secret_sha256"])
    record_devices(events.SECRET_RENEWED, list(made), by=by, act=uuid4())
    return made
