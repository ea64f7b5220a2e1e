"""The refused rows as a file: as they came, each with its reason, to be corrected and uploaded again."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _

from console.columns import normalise
from console.errors import Refused
from console.export import stream
from console.imports.checking import Kind, unguarded
from console.imports.files import table_of
from console.imports.staging import Verdict
from console.imports.uploads import staging_of
from console.models import FileImport
from console.tabular import Table

# The names of the first two columns of such a file, in every language, so that they are not added twice when the file
# is uploaded again.
_OURS = {"row", "zeile"}, {"why", "warum"}


def answer(request: HttpRequest, row: FileImport, kind: type[Kind]) -> StreamingHttpResponse:
    """Return the refused rows as CSV or, with `?format=xlsx`, as XLSX. Raises Refused if there are none."""
    header, lines = rows_of(row, kind)
    name = _("%(file)s refused") % {"file": PurePath(row.file_name).stem}
    return stream(request, name, header, lines)


def rows_of(row: FileImport, kind: type[Kind]) -> tuple[list[str], Iterator[list[str]]]:
    """Return the header and the refused rows: row number and reason, then the cells as they came.

    The reason comes before the cells, because a row may have more cells than the header.
    """
    if not row.summary.get("refused"):
        raise Refused("nothing_refused", _("No row of this file was refused."))
    labels = row.summary["header"]["labels"]
    skipped = 2 if [normalise(label) in ours for label, ours in zip(labels, _OURS, strict=False)] == [True, True] else 0
    reasons = staging_of(row, kind).tuples(Verdict.REFUSED, ("number", "reason"))
    return [_("Row"), _("Why"), *labels[skipped:]], _lines(table_of(row), reasons, skipped)


def _lines(table: Table, reasons: Iterator[tuple[Any, ...]], skipped: int) -> Iterator[list[str]]:
    """Yield the refused rows with their reasons. Both are in the order of the file, so one pass over each is enough."""
    wanted, reason = next(reasons, (0, ""))
    for number, cells in table.rows():
        if number == wanted:
            # Cells that an export escaped are unescaped here, so that they are not escaped twice.
            yield [str(number), reason, *map(unguarded, cells[skipped:])]
            wanted, reason = next(reasons, (0, ""))
            if not wanted:
                return
