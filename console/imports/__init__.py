"""Imports of files: upload, check with a preview, apply. This is what all kinds of imports share.

To write a kind of import (`devices.manifest` is an example):

* its model is a `console.models.FileImport` with what it needs besides (a manifest: its product);
* a `Kind` says which columns it understands, how a row is cleaned (`clean`: values, or sentences that say why not),
  and how thousands of good rows are compared with what is registered (`match`: `target` and `changes`, or a
  sentence);
* a `lifecycle.Importer` says how the checked rows are written; receiving, checking, applying once and as a whole, and
  handing large files to the worker are the same for all. It reads the rows to write from the staging:
  `read(Verdict.NEW)`, `read(Verdict.CHANGED)`, each row with its values, in the order of the file, as often as
  needed;
* its routes are views of their own with a policy mark, each of which calls the function of `pages` with the
  importer; the templates are `components/import_*.html`, of which `import_detail.html` is the page of one import.

To refuse a row, add a sentence to `row.reasons`; nothing else is needed. Reasons are whole sentences, in the language
of the person who uploaded the file.
"""

from console.imports.checking import SENTENCES, Kind, Notices, check, unguarded
from console.imports.files import table_of
from console.imports.staging import Key, Row, Staged, Staging, Verdict, visible

__all__ = [
    "SENTENCES",
    "Key",
    "Kind",
    "Notices",
    "Row",
    "Staged",
    "Staging",
    "Verdict",
    "check",
    "table_of",
    "unguarded",
    "visible",
]
