"""Writes events of devices to the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from console.access import Actor
from console.audit import record_set
from console.audit.kinds import Kind
from devices.models import Device


def record_devices(
    kind: Kind,
    device_ids: list[int],
    *,
    by: Actor,
    about: models.Model | None = None,
    act: UUID | None = None,
    at: datetime | None = None,
    **data: Any,
) -> None:
    """Record one line for each device, under its serial number, in one statement."""
    record_set(kind, Device, device_ids, label="serial_number", by=by, about=about, act=act, at=at, **data)
