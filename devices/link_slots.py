"""Slots for links that stop working when devices lose their owners. The app with such links fills them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from console.access import Actor
from console.slots import One
from devices.models import Device


@One.declare
def for_page(devices: QuerySet[Device] | list[int], *, by: Actor) -> dict[str, Any]:
    """Return the context of `devices/_links_concerned.html`: the links that stop working.

    A list of `devices` contains the ids of owned devices.
    """
    raise NotImplementedError


@One.declare
def in_words(device_ids: list[int], *, by: Actor) -> str:
    """Return sentences that name the links that stop working; empty if there are none."""
    raise NotImplementedError


@One.declare
def leave(device_ids: Iterable[int], *, by: Actor, at: datetime) -> object:
    """Take the devices out of the offers behind their links, so that these links keep working."""
    raise NotImplementedError
