"""Devices that a call names by id, serial number or device name."""

from typing import Any

from rest_framework import serializers

from console.rest.fields import Body, Text
from console.rest.problems import Unfit
from devices.actions import batches
from devices.api.batches import NAMED_BY

NAMED = 10


class Named(Body):
    """The devices, by one kind of name."""

    named_by = serializers.ChoiceField(choices=NAMED_BY, default="serial_number")
    devices = serializers.ListField(child=Text(max_length=64), min_length=1, max_length=batches.MOST)


def ids(request: Any) -> list[int]:
    """The ids of the devices of the body, in order. Raises Unfit where one of the names means none, or several."""
    names = request.body_data["devices"]
    found = batches.resolve(request.body_data["named_by"], names, by=request.actor)
    pairs = list(zip(names, found, strict=True))
    errors = [f"{name}: there is no such device." for name, pk in pairs if not pk]
    errors += [f"{name}: several devices are called so." for name, pk in pairs if pk == batches.AMBIGUOUS]
    if errors:
        more = [f"And {len(errors) - NAMED} more."] if len(errors) > NAMED else []
        raise Unfit({"devices": [*errors[:NAMED], *more]})
    return list(dict.fromkeys(found))
