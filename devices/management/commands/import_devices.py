"""The command `manage.py import_devices`, which checks and imports a factory manifest."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.formats import number_format
from django.utils.translation import ngettext

from console.access import Actor, system
from console.errors import Refused
from console.export import harmless
from console.imports import refused, uploads
from console.imports.checking import LEAVE_OUT
from console.imports.files import chunks_of
from console.imports.preview import Preview
from console.tabular.encodings import SHORT
from devices.manifest import ManifestKind
from devices.manifest.actions import IMPORTER
from devices.models import ManifestImport, Product

NO, WRONG = 1, 2


class Command(BaseCommand):
    help = (
        "Checks a factory manifest (CSV, TSV or XLSX) and prints what is new, unchanged, changed and refused. "
        "Nothing is changed without --apply. Exits with 0; with 1 if rows are refused or the manifest could not be "
        "applied; with 2 if the product or the file can't be used."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("product", help="The slug of the product.")
        parser.add_argument("file", type=Path, help="The manifest.")
        parser.add_argument("--apply", action="store_true", help="Register the devices: all rows, or none.")
        parser.add_argument("--good-rows", action="store_true", help="With --apply: skip the refused rows.")
        parser.add_argument(
            "--organization", metavar="SLUG", help="The slug of the organization, if several have this product."
        )
        parser.add_argument(
            "--encoding", choices=sorted(SHORT), help="The encoding of the text, if the file does not declare it."
        )
        parser.add_argument("--sheet", help="The sheet of a workbook. Default: the first with a recognized header.")
        parser.add_argument("--skip-hidden", action="store_true", help="Skip the rows that are hidden in the sheet.")
        parser.add_argument(
            "--pad",
            type=int,
            metavar="DIGITS",
            help="Pad serial numbers that Excel turned into numbers to this many digits; 0 leaves them unchanged.",
        )
        parser.add_argument("--refused", type=Path, metavar="FILE", help="Write the refused rows to this file, as CSV.")

    def handle(self, *args: Any, **options: Any) -> None:
        product = self._product(options["product"], options["organization"])
        by = system(product.organization, "manage.py import_devices")
        manifest = self._receive(product, options["file"], _reading(options), by=by)
        self._print(manifest, Preview(manifest, ManifestKind))
        if options["refused"] and manifest.summary.get("refused"):
            self._write_refused(manifest, options["refused"])
        if manifest.summary["missing"] or manifest.summary["twice"]:
            raise SystemExit(WRONG)
        if options["apply"]:
            self._apply(manifest, good_rows=options["good_rows"], by=by)
        elif manifest.summary["refused"]:
            raise SystemExit(NO)

    def _product(self, slug: str, organization: str | None) -> Product:
        found = Product.objects.filter(slug=slug, archived_at=None).select_related("organization")
        if organization:
            found = found.filter(organization__slug=organization)
        if not (rows := list(found[:2])):
            raise CommandError(f"There is no product {slug}.", returncode=WRONG)
        if len(rows) > 1:
            raise CommandError(
                f"Several organizations have a product {slug}. Name one with --organization.", returncode=WRONG
            )
        return rows[0]

    def _receive(self, product: Product, path: Path, reading: dict[str, Any], *, by: Actor) -> ManifestImport:
        try:
            manifest = IMPORTER.receive(path.name, chunks_of(path), by=by, product=product, reading=reading)
            IMPORTER.check_now(manifest)
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.", returncode=WRONG) from None
        except Refused as refusal:
            raise CommandError(refusal.sentence, returncode=WRONG) from None
        return manifest

    def _apply(self, manifest: ManifestImport, *, good_rows: bool, by: Actor) -> None:
        try:
            uploads.refuse_guess(manifest)
            IMPORTER.apply_now(manifest, version=manifest.version, good_rows=good_rows, by=by)
        except Refused as refusal:
            raise CommandError(refusal.sentence, returncode=NO) from None
        self.stdout.write(IMPORTER.said(manifest.outcome))

    def _print(self, manifest: ManifestImport, preview: Preview) -> None:
        rows = preview.summary.get("rows", manifest.row_count)
        said = ngettext("%(n)s row", "%(n)s rows", rows) % {"n": _number(rows)}
        self.stdout.write(f"{manifest} into {manifest.product}: {', '.join([said, *preview.summary['dialect']])}")
        for header, column in preview.columns:
            self.stdout.write(f"  {header} -> {column or '(not used)'}")
        for reading in preview.readings:
            used = " (in use)" if reading.is_used else ""
            self.stdout.write(f"Encoding {reading.codec}{used}: {' | '.join(reading.cells)}")
        for label, columns in preview.twice:
            self.stdout.write(f"More than one column holds the {label}: {', '.join(columns)}. Rename all but one.")
        for label in preview.missing:
            self.stdout.write(f"No column was recognized as {label}.")
        if preview.is_checked:
            self.stdout.write(", ".join(f"{figure.label} {_number(figure.value)}" for figure in preview.figures))
        if pad := preview.summary.get("pad"):
            self.stdout.write(
                f"Excel turned {_number(pad['count'])} serial numbers into numbers and removed leading zeros. "
                f"The others have {pad['to']} digits: --pad {pad['to']} pads them, --pad 0 leaves them unchanged."
            )
        for sentence, where in preview.notices:
            self.stdout.write(f"Warning: {sentence} {where}".rstrip())
        for line in preview.refused:
            self.stdout.write(f"Row {line.number} ({' / '.join(cell or '-' for cell in line.cells)}): {line.reason}")
        if preview.refused_beyond > 0:
            self.stdout.write(f"and {_number(preview.refused_beyond)} more. --refused FILE writes all of them.")
        for line in preview.changed:
            changes = "; ".join(f"{label}: {old} -> {new}" for label, old, new in line.changes)
            self.stdout.write(f"Row {line.number} ({' / '.join(line.cells)}) changes {changes}")

    def _write_refused(self, manifest: ManifestImport, path: Path) -> None:
        header, rows = refused.rows_of(manifest, ManifestKind)
        try:
            with path.open("w", newline="", encoding="utf-8-sig") as file:
                csv.writer(file).writerows([harmless(cell) for cell in row] for row in [header, *rows])
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.", returncode=WRONG) from None


def _reading(options: dict[str, Any]) -> dict[str, Any]:
    """Return how the options say the file is to be read."""
    said = {
        "encoding": options["encoding"],
        "sheet": options["sheet"],
        "pad": options["pad"],
        "hidden": LEAVE_OUT if options["skip_hidden"] else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _number(value: int) -> str:
    return number_format(value, force_grouping=True)
