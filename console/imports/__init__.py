"""Imports of files: upload, check with a preview, apply. What all kinds of imports share.

How a kind of import is made, as `devices.manifest` does it:

* its model is a `console.models.FileImport` and what it needs besides (a manifest: its product);
* a `Kind` says which columns it understands, how a row is cleaned (`clean`: values, or sentences why not), and
  how thousands of good rows are compared with what is registered (`match`: `target` and `changes`, or a
  sentence);
* a `lifecycle.Importer` says how the checked rows are written; receiving, checking, applying once and whole, and
  handing large files to the worker are the same for all. What it writes it reads from the staging:
  `read(Verdict.NEW)`, `read(Verdict.CHANGED)`, each row with its values, in the order of the file, as often as
  needed;
* its routes are views of their own with a policy mark, each of which calls the function of `pages` with the
  importer; the templates are `components/import_*.html`, of which `import_detail.html` is the page of one import.

A row is refused by adding a sentence to `row.reasons`; nothing else is needed. Reasons are whole sentences,
in the language of who uploaded the file.
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
