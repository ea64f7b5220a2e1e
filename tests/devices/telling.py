"""Devices that call the device API in tests, and messages with chosen times."""

import base64
import json
from datetime import UTC, datetime, timedelta

from django.test import Client

from console.access import system
from devices import spans
from devices.actions import secrets
from devices.device_api.authentication import find
from devices.messages.actions import Publisher, publish
from devices.messages.window import read
from devices.models import Device

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def give_secret(device) -> str:
    """Create a new secret for the device."""
    return secrets.renew([device.pk], by=system(device.organization))[device.pk]


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


class Unit:
    """A device as a client: it calls with its secret over HTTP."""

    def __init__(self, device, secret: str = "", address: str = "192.0.2.1") -> None:
        self.device, self.secret = device, secret or give_secret(device)
        self.client = Client(REMOTE_ADDR=address)

    def get(self, path: str):
        return self.client.get(f"/device/v1/{path}", headers=self.headers)

    def post(self, path: str, value, raw: bytes | None = None):
        body = json.dumps(value).encode() if raw is None else raw
        return self.client.post(f"/device/v1/{path}", body, content_type="application/json", headers=self.headers)

    @property
    def headers(self) -> dict:
        return {"Authorization": basic(self.device.device_name, self.secret)}


def publisher(device) -> Publisher:
    """Return the device as the ledger knows it now."""
    secret = give_secret(device)
    found = find(device.device_name, secret)
    assert found is not None and found.device_id == device.pk
    return found


def tell(device, at=None, name="reading", data=1, by=None) -> datetime:
    """Publish one message at a chosen time."""
    return publish(read(json.dumps({"name": name, "data": data}).encode()), by=by or publisher(device), at=at)


def deafen_ledger(monkeypatch) -> None:
    """Make the ledger ignore messages, as if they were stored only after the instant of the handover was chosen."""
    monkeypatch.setattr(spans, "_last_word", lambda device: "CAST(NULL AS timestamp with time zone)")


def fresh(device) -> Device:
    return Device.objects.get(pk=device.pk)
