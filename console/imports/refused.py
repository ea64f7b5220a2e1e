"""The refused rows as a file: as they came, each with its reason, to be corrected and sent again."""

from collections.abc import Iterator
from pathlib import PurePath

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

# What the two first columns of such a file are called, in every language, so that they don't add up when it
# comes back.
_OURS = {"row", "zeile"}, {"why", "warum"}


def answer(request: HttpRequest, row: FileImport, kind: type[Kind]) -> StreamingHttpResponse:
    """The refused rows of an import as CSV or, with `?format=xlsx`, XLSX. Raises Refused where there are
    none.
    """
    header, lines = rows_of(row, kind)
    name = _("%(file)s refused") % {"file": PurePath(row.file_name).stem}
    return stream(request, name, header, lines)


def rows_of(row: FileImport, kind: type[Kind]) -> tuple[list[str], Iterator[list[str]]]:
    """The header and the refused rows: row number and reason, then the cells as they came.

    The reason stands first, because a row may have more cells than the header.
    """
    if not row.summary.get("refused"):
        raise Refused("nothing_refused", _("No row of this file is refused."))
    labels = row.summary["header"]["labels"]
    skipped = 2 if [normalise(label) in ours for label, ours in zip(labels, _OURS, strict=False)] == [True, True] else 0
    reasons = staging_of(row, kind).tuples(Verdict.REFUSED, ("number", "reason"))
    return [_("Row"), _("Why"), *labels[skipped:]], _lines(table_of(row), reasons, skipped)


def _lines(table: Table, reasons: Iterator[tuple], skipped: int) -> Iterator[list[str]]:
    """Both are in the order of the file, so one look at each is enough."""
    wanted, reason = next(reasons, (0, ""))
    for number, cells in table.rows():
        if number == wanted:
            # What an export made harmless before is made so once, not twice.
            yield [str(number), reason, *map(unguarded, cells[skipped:])]
            wanted, reason = next(reasons, (0, ""))
            if not wanted:
                return
