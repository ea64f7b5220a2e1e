"""Imports of files over REST: what every kind shares. The text of the file comes in the call."""

from typing import Any

from rest_framework import serializers

from console.imports.lifecycle import Importer
from console.models import FileImport
from console.rest.fields import Body, Flag, Text, Whole

MOST_TEXT = 12 * 1024 * 1024


class ImportIn(Body):
    """A file to import, as text. Columns are understood by their headers, as in the console."""

    csv = Text(max_length=MOST_TEXT, help_text="The file: separated values with a header.")
    file_name = Text(max_length=200, default="api.csv", pattern=r"^[^/\\\x00]+$")


class ImportQuery(Body):
    """How to import."""

    dry_run = Flag(default=False, help_text="true: check the file only.")
    good_rows = Flag(
        default=False, help_text="true: apply without the refused rows; else they refuse the whole file."
    )


class ApplyIn(Body):
    """The check that was decided on."""

    version = Whole(min_value=0, max_value=2**31 - 1)
    good_rows = Flag(default=False)


class ImportOut(serializers.Serializer):
    """An import: what its check found, and what was done. While `operation` is under way, ask again."""

    id = serializers.IntegerField()
    file_name = serializers.CharField()
    rows = serializers.SerializerMethodField()
    version = serializers.IntegerField(help_text="Of the check, for `apply`.")
    operation = serializers.IntegerField(source="operation_id", allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True)
    applied_at = serializers.DateTimeField(allow_null=True)
    missing = serializers.SerializerMethodField(help_text="Columns that the file lacks.")
    found = serializers.SerializerMethodField(help_text="By the check: new, changed, unchanged, refused.")
    outcome = serializers.SerializerMethodField(
        help_text="Of the import: the same; null before it is applied."
    )

    def get_rows(self, row: FileImport) -> int:
        """How many there are, without the header once it is checked."""
        return row.summary.get("rows", row.row_count)

    def get_missing(self, row: FileImport) -> list[str]:
        """Names of columns."""
        return [str(name) for name in row.summary.get("missing", [])]

    def get_found(self, row: FileImport) -> dict[str, int] | None:
        """Null while it is not checked."""
        return _counts(row.summary)

    def get_outcome(self, row: FileImport) -> dict[str, int] | None:
        """Null until it is applied."""
        return _counts(row.outcome)


def take(request: Any, importer: Importer, received: FileImport) -> FileImport:
    """Check a file that was received and, unless it is a trial, apply it. Large ones are the worker's.

    Raises Refused (409) where rows are refused and `good_rows` is not set; the file stays, to be looked at.
    """
    importer.check(received, by=request.actor)
    if not request.query["dry_run"] and received.checked_as:
        importer.apply(
            received, version=received.version, by=request.actor, good_rows=request.query["good_rows"]
        )
    received.refresh_from_db()
    return received


def _counts(found: dict[str, Any]) -> dict[str, int] | None:
    names = ("new", "changed", "unchanged", "refused")
    return {name: found[name] for name in names} if all(name in found for name in names) else None
