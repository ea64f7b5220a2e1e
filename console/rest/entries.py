"""Entries of lists in a body."""

from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from console.rest.fields import Body


class Row(Body):
    """One entry of a list. It is given as a whole, also where the rest of a body says only what changes."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is missing; what may be left out gets its default."""
        if isinstance(data, dict):
            missing = [name for name, field in self.fields.items() if field.required and name not in data]
            if missing:
                raise serializers.ValidationError({name: ["This field is required."] for name in missing})
            usual = {name: field.default for name, field in self.fields.items() if field.default is not empty}
            data = usual | data
        return super().to_internal_value(data)
