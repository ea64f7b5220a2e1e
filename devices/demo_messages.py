"""A few days of messages for the demo, as simulated devices would have sent them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction

from console import sql
from devices.messages.actions import COLUMNS, settle
from devices.messages.window import dumps
from devices.models import Device, Message
from devices.simulator.unit import Unit

DAYS, EVERY = 3, timedelta(minutes=30)


@transaction.atomic
def load(devices: Iterable[Device], at: datetime, chance: Random) -> int:
    """Write the messages of the days before `at`, each within its device's own life. Returns how many."""
    rows, ids = [], []
    for device in devices:
        unit = Unit(device.device_name, "", "http://localhost", chance=chance)
        stamp = max(at - timedelta(days=DAYS), device.created_at) + EVERY * chance.random()
        ids.append(device.pk)
        while stamp < at:
            for message in unit.measure():
                text = str(dumps(message["data"], 1024))
                rows.append((stamp, device.organization_id, device.pk, message["name"], text))
            stamp += EVERY * chance.uniform(0.9, 1.1)
    # Sorted by time, in the order in which they would have arrived.
    rows.sort()
    adapt = connection.ops.adapt_datetimefield_value
    sql.insert_rows(
        Message,
        COLUMNS,
        ((organization, pk, None, name, text, adapt(stamp), None) for stamp, organization, pk, name, text in rows),
    )
    settle(ids, since=at - timedelta(days=DAYS + 1))
    return len(rows)
