"""Writes events of devices to the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from console.access import Actor
from console.audit import record_set
from console.audit.kinds import Kind
from devices.acts import Act
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


def record_act(kind: Kind, device_ids: list[int], act: Act, *, about: models.Model | None = None, **data: Any) -> None:
    """Record one line for each device that the act changed."""
    record_devices(kind, device_ids, by=act.by, about=about, act=act.id, at=act.at, **data)
