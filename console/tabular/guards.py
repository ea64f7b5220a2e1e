"""Checks of a file before it is parsed: its size, its kind, and what an archive really contains."""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from console.errors import Refused

MAX_ROWS = 250_000
MAX_COLUMNS = 64
# Limits of an archive: entries, bytes of its directory, bytes and tags of all its XML once unpacked.
MAX_ENTRIES = 2000
MAX_DIRECTORY = 1024 * 1024
MAX_UNPACKED = 100 * 1024 * 1024
MAX_TAGS = 12_000_000
# Distinct texts in a workbook (not in CSV): six in each of 100,000 rows, and some. More take longer than a person
# waits.
MAX_SHARED_STRINGS = 650_000
# Honest sheets shrink to a tenth, very regular ones to a hundredth. Small parts are exempt.
MAX_RATIO = 200
RATIO_FROM = 8 * 1024 * 1024
CHUNK = 64 * 1024

# The exceptions that reading a broken archive can raise, found by trial.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"RIFF", "RIFF"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"{\\rtf", "RTF"),
    (b"\x7fELF", "ELF"),
    (b"SQLite format 3", "SQLite"),
)
_MARKUP = (b"<html", b"<!doctype", b"<?xml", b"<table", b"<!entity")
_DIRECTORY_ENTRY = b"PK\x01\x02"
_DIRECTORY_END = b"PK\x05\x06"
_DIRECTORY_LOCATOR_64 = b"PK\x06\x07"


def refuse(code: str, sentence: str) -> Refused:
    """Return the refusal of a file; every one of them is a 422."""
    return Refused(code, sentence, status=422)


def damaged() -> Refused:
    """Return the refusal of a workbook that can't be read to its end."""
    return refuse("damaged_file", _("The workbook is damaged. Open it in Excel and save it again as XLSX or CSV."))


def too_many_rows() -> Refused:
    """Return the refusal of a table with more than MAX_ROWS rows."""
    return refuse(
        "too_many_rows",
        _("The file has more than %(limit)s rows. Split it into smaller files.")
        % {"limit": number_format(MAX_ROWS, force_grouping=True)},
    )


def too_many_columns(row: int) -> Refused:
    """Return the refusal of a table with more than MAX_COLUMNS columns, naming the row that exceeds it."""
    return refuse(
        "too_many_columns",
        _("Row %(row)s has more than %(limit)s columns. Delete the columns you don't need.")
        % {"row": number_format(row, force_grouping=True), "limit": MAX_COLUMNS},
    )


def too_large_inside() -> Refused:
    """Return the refusal of a workbook that unpacks to more than can be read."""
    return refuse("too_large_inside", _("The unpacked workbook is too large. Save it as CSV, or split it."))


def refuse_large(path: Path, limit: int) -> None:
    """Refuse a file of more than `limit` bytes, and an empty one."""
    size = path.stat().st_size
    if size > limit:
        raise refuse(
            "file_too_large",
            _("The file is larger than %(limit)s MB. Split it into smaller files.")
            % {"limit": number_format(max(limit // (1024 * 1024), 1), force_grouping=True)},
        )
    if size == 0:
        raise refuse("empty_file", _("The file is empty."))


def kind_of(path: Path) -> str:
    """Return "xlsx" or "csv", by the first bytes of the file. Raises Refused for formats known to be neither."""
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith((b"PK\x03\x04", _DIRECTORY_END)):
            return "xlsx"
        if head.startswith(_OLE):
            raise _refuse_ole(file)
    for signature, kind in _OTHERS:
        if head.startswith(signature):
            raise refuse(
                "unknown_file",
                _("This is a %(kind)s file, not a table. Save the table as CSV or XLSX.") % {"kind": kind},
            )
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        # Many export buttons produce web pages that are named .xls.
        raise refuse("unknown_file", _("This is a web page, not a table. Open it in Excel and save it as CSV or XLSX."))
    return "csv"


def _refuse_ole(file: BinaryIO) -> Refused:
    """Return the refusal of an OLE file: a workbook with a password uses the same container as an old .xls."""
    mark = "EncryptedPackage".encode("utf-16-le")
    file.seek(0)
    tail = b""
    while chunk := file.read(1024 * 1024):
        if mark in tail + chunk:
            return protected()
        tail = chunk[-len(mark) :]
    return refuse("old_excel", _("This is an old Excel file (XLS). Save it as XLSX or CSV."))


def no_workbook() -> Refused:
    """Return the refusal of an archive of another kind."""
    return refuse("unknown_file", _("This file contains no workbook. Save the table as CSV or XLSX."))


def protected() -> Refused:
    """Return the refusal of a workbook that asks for a password."""
    return refuse("protected_file", _("The workbook is password-protected. Save it without a password."))


def check_archive(path: Path) -> None:
    """Refuse an archive that contains too much, by unpacking every XML part of it.

    The sizes that the archive's directory declares are checked first, because that is cheap, but not trusted: each part
    is unpacked as a stream and its bytes are counted. Document types and entities are refused in every part.
    Raises Refused.
    """
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            parts = [part for part in archive.infolist() if is_markup(part)]
            _check_declared(archive.infolist(), parts)
            _unpack(archive, parts)
    except BROKEN as error:
        raise damaged() from error


def is_markup(part: zipfile.ZipInfo) -> bool:
    """Whether a part of the archive is XML by its name. No other part is ever read."""
    return part.filename.lower().endswith((".xml", ".rels"))


def _check_directory(path: Path) -> None:
    """Limit the archive's directory before it is read, because all of it becomes objects.

    The end record is searched as `zipfile` does: at the very end, else before a comment. No workbook within the upload
    limit needs a 64-bit directory, so one is treated as an attempt to get past this check.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_557 - 20))
        tail = file.read()
        end = len(tail) - 22
        if end < 0 or not (tail[end : end + 4] == _DIRECTORY_END and tail[-2:] == b"\0\0"):
            end = tail.rfind(_DIRECTORY_END)
        if end < 0 or len(tail) - end < 22:
            raise damaged()
        entries, directory = struct.unpack("<HL", tail[end + 10 : end + 16])
        if tail[max(0, end - 20) : end].startswith(_DIRECTORY_LOCATOR_64):
            raise damaged()
        # The entries are counted, because the declared number can't be trusted.
        file.seek(0)
        marks, before = 0, b""
        while chunk := file.read(1024 * 1024):
            marks += (before + chunk).count(_DIRECTORY_ENTRY)
            before = chunk[-3:]
    if max(entries, marks) > MAX_ENTRIES or directory > MAX_DIRECTORY:
        raise too_large_inside()


def _check_declared(everything: list[zipfile.ZipInfo], parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename.replace("\\", "/").lower() for part in everything}
    if any(part.flag_bits & 0x1 for part in everything):
        raise protected()
    if not any(name.endswith(".xml") and "workbook" in name for name in names):
        raise no_workbook()
    # Other methods need as much memory as the sender chooses.
    if any(part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for part in parts):
        raise damaged()
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise too_large_inside()
    for part in parts:
        if part.file_size > RATIO_FROM and part.file_size > MAX_RATIO * max(part.compress_size, 1):
            raise too_large_inside()


def _unpack(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    total = tags = 0
    for part in parts:
        is_strings, ends = part.filename.lower().endswith("sharedstrings.xml"), 0
        with archive.open(part) as stream:
            before = b""
            while chunk := stream.read(CHUNK):
                total += len(chunk)
                tags += chunk.count(b"<")
                if is_strings:
                    # Each shared string has at most two of these. Missing one that spans two reads does no harm.
                    ends += chunk.count(b"si>")
                if total > MAX_UNPACKED or tags > MAX_TAGS or ends > 2 * MAX_SHARED_STRINGS:
                    raise too_large_inside()
                if b"<!" in (seen := before + chunk) and (b"<!DOCTYPE" in seen or b"<!ENTITY" in seen):
                    raise damaged()
                before = chunk[-9:]
