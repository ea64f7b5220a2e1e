"""Imports of files over REST: the parts that all kinds share. The text of the file comes in the call."""

import base64
import binascii
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.errors import Refused
from console.imports import checking, uploads
from console.imports.checking import LEAVE_OUT, Kind
from console.imports.lifecycle import Importer
from console.models import FileImport
from console.rest.fields import Body, Flag, Text, Whole

MOST_TEXT = 12 * 1024 * 1024
# The codec of each encoding that a call may name.
ENCODINGS = {
    "utf-8": "utf-8-sig",
    "utf-16": "utf-16",
    "windows-1252": "cp1252",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "cp850": "cp850",
    "mac-roman": "mac_roman",
    "gb18030": "gb18030",
    "big5": "big5",
    "shift-jis": "cp932",
    "cp949": "cp949",
}
_NAMED = {codec: name for name, codec in ENCODINGS.items()} | {
    "utf-8": "utf-8",
    "utf-16-le": "utf-16",
    "utf-16-be": "utf-16",
}
ONE_OF_THEM = "Send the file either as `csv` or as `file`."


class ImportIn(Body):
    """A file to import: text in `csv`, or Base64 in `file`. Columns are recognised by their headers."""

    csv = Text(
        max_length=MOST_TEXT,
        required=False,
        help_text="The file as text: delimiter-separated values with a header row.",
    )
    file = Text(max_length=MOST_TEXT, required=False, help_text="The file's bytes in Base64: CSV, TSV or XLSX.")
    encoding = serializers.ChoiceField(
        list(ENCODINGS),
        required=False,
        help_text="The encoding of a text `file`. If left out, it is detected; an ambiguous one is refused.",
    )
    sheet = Text(
        max_length=100,
        required=False,
        help_text="The sheet of a workbook. If left out, the first one with a recognized header.",
    )
    skip_hidden_rows = Flag(default=False, help_text="true: skip the rows that are hidden in the sheet.")
    file_name = Text(max_length=200, default="api.csv", pattern=r"^[^/\\\x00]+$")

    def unfit(self, data: dict[str, Any]) -> dict[str, list[str]]:
        """Refuse a call that does not have exactly one file, or whose `file` is not Base64."""
        if ("csv" in data) == ("file" in data):
            return {"csv": [ONE_OF_THEM]}
        try:
            content_of(data)
        except binascii.Error:
            return {"file": ["This isn't Base64."]}
        return {}


def content_of(data: dict[str, Any]) -> bytes:
    """Return the content of the file that came with a call."""
    return base64.b64decode(data["file"], validate=True) if "file" in data else data["csv"].encode()


def reading_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return how the call says that its file is to be read."""
    said = {"sheet": data.get("sheet"), "encoding": ENCODINGS.get(data.get("encoding", ""))}
    if data["skip_hidden_rows"]:
        said["hidden"] = LEAVE_OUT
    return {name: value for name, value in said.items() if value}


class ImportQuery(Body):
    """Options of an import."""

    dry_run = Flag(default=False, help_text="true: check the file only.")
    good_rows = Flag(
        default=False, help_text="true: import the valid rows only. Otherwise, any refused row refuses the whole file."
    )


class ApplyIn(Body):
    """The check to apply, by its version, and whether to leave out refused rows."""

    version = Whole(min_value=0, max_value=2**31 - 1)
    good_rows = Flag(default=False)


class Remark(serializers.Serializer):
    """A remark about the file that is not a reason to refuse a row."""

    code = serializers.CharField(
        help_text="A word for programs, such as errors, merged, hidden_rows, spaces or numbers."
    )
    count = serializers.IntegerField()
    places = serializers.ListField(
        child=serializers.CharField(), help_text="The first rows, cells or columns it is about."
    )


class EncodingReading(serializers.Serializer):
    """How one encoding reads the first texts that contain more than ASCII."""

    encoding = serializers.CharField()
    texts = serializers.ListField(child=serializers.CharField())


class EncodingOut(serializers.Serializer):
    """The encoding used for a text that does not declare it, whether another may be right, and how each reads it."""

    encoding = serializers.CharField()
    is_unclear = serializers.BooleanField()
    readings = EncodingReading(many=True)


class ImportOut(serializers.Serializer):
    """An import: the result of its check, and what was done. Poll it while `operation` is running."""

    id = serializers.IntegerField()
    file_name = serializers.CharField()
    rows = serializers.SerializerMethodField()
    version = serializers.IntegerField(help_text="The version of the check; send it with `apply`.")
    operation = serializers.IntegerField(source="operation_id", allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True)
    applied_at = serializers.DateTimeField(allow_null=True)
    missing = serializers.SerializerMethodField(help_text="The required columns that the file doesn't have.")
    ignored_columns = serializers.SerializerMethodField(
        help_text="Headers that were not recognized; their columns are not imported."
    )
    sheet = serializers.SerializerMethodField(help_text="The sheet that is read, for a workbook.")
    sheets = serializers.SerializerMethodField(help_text="The names of all sheets, for a workbook.")
    encoding = serializers.SerializerMethodField(
        help_text="The encoding, if the file doesn't state it; otherwise null."
    )
    remarks = serializers.SerializerMethodField(help_text="What the check noticed without refusing rows.")
    found = serializers.SerializerMethodField(
        help_text="Numbers of rows by the check: new, changed, unchanged and refused."
    )
    outcome = serializers.SerializerMethodField(
        help_text="The same numbers for the import itself; null before it is applied."
    )

    def get_rows(self, row: FileImport) -> int:
        """The number of rows, without the header once the file is checked."""
        return row.summary.get("rows", row.row_count)

    def get_missing(self, row: FileImport) -> list[str]:
        """The names of required columns that the file lacks."""
        return [str(name) for name in row.summary.get("missing", [])]

    def get_ignored_columns(self, row: FileImport) -> list[str]:
        """The headers of the ignored columns, as the file writes them."""
        return checking.ignored(getattr(row, "heading", row.summary))

    def get_sheet(self, row: FileImport) -> str:
        """The name of the sheet that is read; empty for text files."""
        return row.summary.get("sheet", "")

    def get_sheets(self, row: FileImport) -> list[str]:
        """The names of all sheets, in their order."""
        return row.summary.get("sheets", [])

    @extend_schema_field(EncodingOut(allow_null=True))
    def get_encoding(self, row: FileImport) -> dict[str, Any] | None:
        """The encoding and its alternatives; null if it is certain."""
        found = row.summary.get("encoding")
        return found and {
            "encoding": _NAMED.get(found["used"], found["used"]),
            "is_unclear": found["is_unclear"],
            "readings": [{"encoding": _NAMED[codec], "texts": cells} for codec, cells in found["samples"]],
        }

    @extend_schema_field(Remark(many=True))
    def get_remarks(self, row: FileImport) -> list[dict[str, Any]]:
        """The remarks of the check; empty until the file is checked."""
        noticed = row.summary.get("notices", [])
        return [{"code": code, "count": count, "places": list(map(str, places))} for code, count, places in noticed]

    def get_found(self, row: FileImport) -> dict[str, int] | None:
        """The counts of the check; null until the file is checked."""
        return _counts(row.summary)

    def get_outcome(self, row: FileImport) -> dict[str, int] | None:
        """The counts of the import; null until it is applied."""
        return _counts(row.outcome)


def take(request: Any, importer: Importer, received: FileImport) -> FileImport:
    """Check a received file and, unless it is a trial, apply it. The worker does large ones.

    Raises Refused (409) if rows are refused and `good_rows` is not set; the file is kept for review. Raises Refused
    (422) if a column is missing, if two columns with one meaning both hold values and, unless it is a trial, if its
    encoding was guessed and may be wrong.
    """
    look_at_header(importer, received)
    importer.check(received, by=request.actor)
    refuse_unread(received, importer.kind, is_trial=request.query["dry_run"])
    if not request.query["dry_run"] and received.checked_as:
        importer.apply(received, version=received.version, by=request.actor, good_rows=request.query["good_rows"])
    received.refresh_from_db()
    return received


def look_at_header(importer: Importer, received: FileImport) -> None:
    """Keep the findings about the header for the answer. Raises Refused (422) if a required column is missing."""
    heading = importer.heading(received)
    if heading["missing"]:
        # No row has to be read for this check, and it makes the import's page say so too.
        importer.check_now(received)
        names = ", ".join(heading["missing"])
        sentence = _("The file has no column for: %(names)s. Correct its header and send it again.")
        raise Refused(
            "missing_columns",
            sentence % {"names": names},
            status=422,
            id=received.pk,
            missing=heading["missing"],
            ignored_columns=checking.ignored(heading),
        )
    received.heading = heading  # type: ignore[attr-defined]  # for ImportOut, also before the check is done


def refuse_unread(row: FileImport, kind: type[Kind], *, is_trial: bool) -> None:
    """Refuse (422) a file that can be read in two ways."""
    uploads.refuse_twice(row, kind)
    if not is_trial:
        uploads.refuse_guess(row)


def _counts(found: dict[str, Any]) -> dict[str, int] | None:
    names = ("new", "changed", "unchanged", "refused")
    return {name: found[name] for name in names} if all(name in found for name in names) else None
