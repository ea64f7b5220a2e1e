"""Devices that a call names by id, serial number or device name."""

from typing import Any

from rest_framework import serializers

from console.rest.fields import Body, Text
from devices.actions import batches, named
from devices.api.batches import NAMED_BY

NAMED = 10


class Named(Body):
    """The devices of a call, named by one kind of identifier."""

    named_by = serializers.ChoiceField(choices=NAMED_BY, default="serial_number")
    devices = serializers.ListField(child=Text(max_length=64), min_length=1, max_length=batches.MOST)


class NamedResult(serializers.Serializer):
    """The result for one name of the call. `code` is `ok`, or says why the device was left unchanged."""

    name = serializers.CharField(help_text="The name as the call gave it.")
    device = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


class Naming:
    """The devices that a call names, in its order, and the result for each."""

    def __init__(self, request: Any) -> None:
        self.names: list[str] = request.body_data["devices"]
        self.pks = named.resolve(request.body_data["named_by"], self.names, by=request.actor)
        seen: set[int] = set()
        self.unfit: dict[int, tuple[str, str]] = {}
        for place, pk in enumerate(self.pks):
            if why := named.unfit(pk, pk in seen):
                self.unfit[place] = why
            else:
                seen.add(pk)

    @property
    def ids(self) -> list[int]:
        """Return the ids of the devices to work on, without duplicates, in order."""
        return [pk for place, pk in enumerate(self.pks) if place not in self.unfit]

    def results(self, refused: dict[int, tuple[str, str]]) -> list[dict[str, Any]]:
        """Return a result for each name, in the order of the call. `refused` holds the reasons by device id."""
        return [
            {"name": name, "device": pk if pk > 0 else None, "code": code, "detail": detail}
            for place, (name, pk) in enumerate(zip(self.names, self.pks, strict=True))
            for code, detail in [self.unfit.get(place) or refused.get(pk) or ("ok", "")]
        ]
