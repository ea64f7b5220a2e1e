"""The simulated fleet: which devices, with which secrets, and running all of them at once."""

import json
import os
import time
from pathlib import Path
from random import Random
from threading import Event, Thread

from django.conf import settings
from django.db.models import F

from console.access import system
from console.models import Organization
from devices.actions import secrets
from devices.models import Device
from devices.simulator.unit import Unit

FILE = "simulator-secrets.json"
# Devices that don't wait at the server ask for calls every PAUSE seconds; in a large fleet less often, so that there
# are at most ASKED_A_SECOND requests per second.
PAUSE, ASKED_A_SECOND = 5.0, 10


def choose(organization: Organization, count: int) -> list[tuple[str, str]]:
    """Return names and secrets of `count` devices: those simulated before, then others, which get their first secret.

    A device that has its secret from somewhere else is never used.
    """
    kept = _read()
    current = Device.objects.filter(organization=organization, archived_at=None)
    mine = {}
    for pk, name, sha256 in current.filter(pk__in=list(kept)).values_list("pk", "device_name", "secret_sha256"):
        if secrets.sha256(kept[pk]) == sha256:
            mine[pk] = name
    # Owned devices first: they are what a demo shows, and its messages are theirs.
    more = current.filter(secret_sha256="").order_by(F("customer").asc(nulls_last=True), "pk")[
        : max(0, count - len(mine))
    ]
    fresh = {device.pk: device.device_name for device in more}
    kept |= secrets.renew(fresh, by=system(organization, "Simulator")) if fresh else {}
    _write(kept)
    return [(name, kept[pk]) for pk, name in list((mine | fresh).items())[:count]]


def run(units: list[Unit], over: Event, seconds: float) -> None:
    """Run all devices, each in a thread, until the event is set or the time is over."""
    until = time.monotonic() + seconds
    threads = [Thread(target=unit.live, args=(over, until), daemon=True) for unit in units]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)


def make(
    found: list[tuple[str, str]], base_url: str, *, seed: int, every: float, waiting: int | None = None
) -> list[Unit]:
    """Create simulated devices. `waiting` of them wait for calls at the server (None: all of them); the others poll."""
    units, pause = [], max(PAUSE, len(found) / ASKED_A_SECOND)
    for number, (name, secret) in enumerate(found):
        chance = Random(f"{seed} {name}")  # noqa: S311 -- weather, no secret
        waits = waiting is None or number < waiting
        units.append(Unit(name, secret, base_url, chance=chance, every=every, pause=0.0 if waits else pause))
    return units


def _path() -> Path:
    return settings.DATA_DIR / FILE


def _read() -> dict[int, str]:
    try:
        return {int(pk): secret for pk, secret in json.loads(_path().read_text()).items()}
    except (FileNotFoundError, ValueError):
        return {}


def _write(kept: dict[int, str]) -> None:
    # Only the owner of the data may read the secrets.
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({str(pk): secret for pk, secret in kept.items()}, file)
