"""Serializer fields that accept exactly what their OpenAPI type says. DRF's own fields coerce."""

import re
from datetime import datetime
from typing import Any

from django.core.validators import RegexValidator
from django.utils.dateparse import parse_date
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console import moments

LONGEST_ADDRESS = 254
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
RFC_3339 = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]"


class Body(serializers.Serializer):
    """The query or body of a call. Unknown fields are refused, not ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields in addition to what the fields themselves refuse."""
        if isinstance(data, dict):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = sorted(str(name) for name in data if name not in known)
            if unknown:
                raise serializers.ValidationError({name: ["This field doesn't exist."] for name in unknown})
        return super().to_internal_value(data)

    def unfit(self, data: dict[str, Any]) -> dict[str, list[str]]:
        """Return errors by field for values that cannot be accepted although they are as documented (422)."""
        return {}


class Text(serializers.CharField):
    """A string; numbers are refused. White space is kept: the console's form decides what to trim."""

    def __init__(self, *, pattern: str = "", **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})
        if pattern:
            # In Python `$` also matches before a trailing line feed; in the OpenAPI document it does not.
            strict = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
            self.validators.append(RegexValidator(strict, f"It doesn't match {pattern}."))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "format": "email", "maxLength": LONGEST_ADDRESS})
class Email(Text):
    """An email address. The console's form checks its format."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_ADDRESS, **kwargs)


class Whole(serializers.IntegerField):
    """An integer. Strings of digits and booleans are refused in a body; in a query all values are strings."""

    def __init__(self, **kwargs: Any) -> None:
        self.in_query = kwargs.pop("in_query", False)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if not self.in_query and (isinstance(data, bool) or not isinstance(data, int)):
            self.fail("invalid")
        if self.in_query and not (isinstance(data, str) and data.lstrip("-").isdecimal() and data.isascii()):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """A boolean: true or false; in a query, the words `true` and `false`."""

    TRUE_VALUES = {True, "true"}
    FALSE_VALUES = {False, "false"}

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            self.fail("invalid", input=data)
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time with its offset from UTC (RFC 3339). Without an offset it would be ambiguous."""

    default_error_messages = {"naive": "Include the offset from UTC, as in 2026-11-22T09:00:00Z or …+01:00."}

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse a time without an offset."""
        if value.tzinfo is None:
            self.fail("naive")
        return super().enforce_timezone(value)

    def to_internal_value(self, value: Any) -> datetime:
        at = moments.read(value)
        if at is None:
            self.fail("invalid", format=RFC_3339)
        return super().to_internal_value(at)


@extend_schema_field({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]})
class MomentOrDay(Moment):
    """A time, or a day in the organization's time zone: its beginning or, with `is_end`, its end."""

    def __init__(self, *, is_end: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.edge = moments.end if is_end else moments.begin

    def to_internal_value(self, value: Any) -> datetime:
        """Return the time; a day begins and ends in the time zone of the key's organization."""
        day = parse_date(value) if isinstance(value, str) and DAY.fullmatch(value) else None
        if day is None:
            return super().to_internal_value(value)
        return self.enforce_timezone(self.edge(day, self.context.get("organization")))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Refuse a day that does not exist with the same error as a malformed time."""
        try:
            return super().run_validation(data)
        except ValueError:
            self.fail("invalid", format=RFC_3339)


class Id(Whole):
    """The id of a row: 1 to 2⁶³ − 1."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **kwargs)


class Between(Body):
    """A period: from one instant up to but not including another, or from one day up to the end of another."""

    to = MomentOrDay(
        is_end=True,
        required=False,
        help_text="Before this time, or up to the end of this day in the organization's time zone.",
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        """Add the field `from`, which cannot be an attribute because it is a Python keyword."""
        since = MomentOrDay(
            required=False, help_text="From this time on, or from this day on in the organization's time zone."
        )
        return {**super().get_fields(), "from": since}

    def unfit(self, data: dict[str, Any]) -> dict[str, list[str]]:
        """Refuse a period that ends before it begins."""
        if "from" in data and "to" in data and data["to"] <= data["from"]:
            return {"to": ["It must be after `from`."]}
        return super().unfit(data)
