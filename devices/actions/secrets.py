"""The secrets with which devices authenticate."""

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
    """Return the hash under which a secret is stored, the same as for secrets imported from a manifest."""
    return hashlib.sha256(secret.encode()).hexdigest()


@retrying
def renew(device_ids: Iterable[int], *, by: Actor) -> dict[int, str]:
    """Give the devices new 256-bit secrets and return them, this once; the old ones are refused at once."""
    rows = sql.having_ids(Device.objects.visible_to(by), "id", list(device_ids)).filter(archived_at=None)
    made = {pk: secrets.token_urlsafe(32) for pk in rows.order_by("pk").values_list("pk", flat=True)}
    changed = [Device(pk=pk, secret_sha256=sha256(secret)) for pk, secret in made.items()]
    sql.update_rows(Device, changed, ["secret_sha256"])
    record_devices(events.SECRET_RENEWED, list(made), by=by, act=uuid4())
    return made
