"""Manifests for the tests: small generated files, and the three that factories sent."""

from collections.abc import Iterable
from pathlib import Path

from openpyxl import Workbook

from console.access import system
from console.imports import Verdict
from console.imports.uploads import staging_of
from devices.manifest import ManifestKind
from devices.manifest.actions import IMPORTER as manifests
from devices.models import ManifestImport, Product

DATA = Path(__file__).resolve().parent.parent / "data"
AQUA, GATEWAY, MESSY = (DATA / name for name in ("aqua-meter-lot-2611.csv", "gateway-lot-2611.xlsx", "messy-lot.csv"))


def text(*lines: str) -> bytes:
    """Return a file with these lines."""
    return "\n".join(lines).encode()


def workbook(path: Path, rows: Iterable[Iterable]) -> bytes:
    """Return an XLSX file with these rows; numbers stay numbers."""
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path.read_bytes()


def received(product: Product, content: bytes, name: str = "lot.csv") -> ManifestImport:
    """Return a manifest after its upload."""
    return manifests.receive(name, [content], by=system(product.organization, "Alice"), product=product)


def checked(product: Product, content: bytes, name: str = "lot.csv", **reading) -> ManifestImport:
    """Return a manifest after its check."""
    manifest = received(product, content, name)
    manifests.check_now(manifest, reading=reading)
    return manifest


def applied(product: Product, content: bytes, name: str = "lot.csv", *, good_rows: bool = False, **reading):
    """Return a manifest once it is applied."""
    manifest = checked(product, content, name, **reading)
    by = system(product.organization, "Alice")
    manifests.apply_now(manifest, version=manifest.version, by=by, good_rows=good_rows)
    return manifest


def counts(manifest: ManifestImport) -> tuple[int, int, int, int]:
    """Return the numbers of new, unchanged, changed and refused rows."""
    return tuple(manifest.summary[name] for name in ("new", "unchanged", "changed", "refused"))


def refused(manifest: ManifestImport) -> dict[int, str]:
    """Return the reasons by row."""
    return {row.number: row.reason for row in staging_of(manifest, ManifestKind).read(Verdict.REFUSED)}


def changed(manifest: ManifestImport) -> dict[int, dict]:
    """Return the changes by row."""
    return {row.number: row.changes for row in staging_of(manifest, ManifestKind).read(Verdict.CHANGED)}


def noticed(manifest: ManifestImport) -> dict[str, tuple[int, list[int]]]:
    """Return how often each warning occurs, and the first rows that have it."""
    return {code: (count, rows) for code, count, rows in manifest.summary["notices"]}
