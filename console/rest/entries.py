"""Entries of lists in a request body."""

from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from console.rest.fields import Body


class Row(Body):
    """One entry of a list in a request body. It is always complete, even if the rest of the body lists changes only."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse missing required fields and fill in the defaults of optional ones."""
        if isinstance(data, dict):
            missing = [name for name, field in self.fields.items() if field.required and name not in data]
            if missing:
                raise serializers.ValidationError({name: ["This field is required."] for name in missing})
            usual = {name: field.default for name, field in self.fields.items() if field.default is not empty}
            data = usual | data
        return super().to_internal_value(data)
