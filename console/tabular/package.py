"""The archive of a workbook: its parts, their relations, and how a part is parsed within limits.

Source: ECMA-376-2 (Open Packaging Conventions).
"""

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from xml.parsers import expat

from console.tabular.guards import BROKEN, CHUNK, damaged, is_markup, too_large_inside

# Limits of what the parser keeps: open tags, distinct names, an incomplete tag.
MAX_DEPTH = 64
MAX_NAMES = 4096
MAX_TOKEN = 256 * 1024
# The largest part that is read as a whole, such as the styles.
MAX_SETTINGS = 16 * 1024 * 1024

_UNREADABLE = (*BROKEN, expat.ExpatError, KeyError, IndexError, OverflowError)


class Package:
    """An open archive, with its XML parts by name, without a leading slash and in lower case."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts = {part.filename.replace("\\", "/").lower(): part for part in archive.infolist() if is_markup(part)}

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """Return the relations of a part ("" for the whole package): id to (type, name of the other part)."""
        place = PurePosixPath(name)
        relations: dict[str, tuple[str, str]] = {}

        def take(path: tuple[str, ...], attributes: dict[str, str]) -> None:
            if path[-1] == "Relationship" and attributes.get("TargetMode") != "External":
                kind = attributes["Type"].rpartition("/")[2]
                relations[attributes["Id"]] = kind, _resolve(str(place.parent), attributes["Target"])

        part = _resolve(str(place.parent), f"_rels/{place.name}.rels")
        if part in self.parts:
            self.read(part, take)
        return relations

    def read(self, name: str, take: Callable[[tuple[str, ...], dict[str, str]], None]) -> None:
        """Call `take` for every element of a small part, with the path of its names and its attributes."""
        if self.parts[name].file_size > MAX_SETTINGS:
            raise too_large_inside()
        path: list[str] = []

        def start(element: str, attributes: dict[str, str]) -> None:
            path.append(local(element))
            if len(path) > MAX_DEPTH:
                raise damaged()
            take(tuple(path), attributes)

        def end(_element: str) -> None:
            path.pop()

        for _step in self.feed(name, start, end):
            pass

    def search(self, name: str, mark: bytes, pattern: re.Pattern[bytes]) -> Iterator[tuple[bytes, ...]]:
        """Yield the groups of all matches of a pattern that contains the mark, in the bytes of a part of any length.

        A match may be up to 1,024 bytes long.
        """
        with self._archive.open(self.parts[name]) as stream:
            before = b""
            while chunk := stream.read(CHUNK):
                seen = before + chunk
                end = 0
                if mark in seen:
                    for found in pattern.finditer(seen):
                        end = found.end()
                        yield found.groups()
                before = seen[max(end, len(seen) - 1024) :]

    def feed(
        self,
        name: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None],
        text: Callable[[str], None] | None = None,
    ) -> Iterator[None]:
        """Parse a part chunk by chunk, yielding after each. The handlers limit the depth, because they see it.

        It is read as UTF-8 whatever it declares, as in the check of the archive. Raises Refused, ExpatError.
        """
        names: dict[str, str] = {}
        parser = expat.ParserCreate("utf-8", None, names)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_document_type
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        if text:
            parser.CharacterDataHandler = text
        fed = 0
        with self._archive.open(self.parts[name]) as stream:
            while chunk := stream.read(CHUNK):
                parser.Parse(chunk)
                fed += len(chunk)
                if len(names) > MAX_NAMES or fed - max(parser.CurrentByteIndex, 0) > MAX_TOKEN:
                    raise damaged()
                yield
        parser.Parse(b"", True)
        yield


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open an archive that was checked; any read error inside the block becomes a refusal."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield Package(archive)
    except _UNREADABLE as error:
        raise damaged() from error


def local(name: str) -> str:
    """Return the name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


def _refuse_document_type(*_declaration: Any) -> None:
    raise damaged()


def _resolve(folder: str, target: str) -> str:
    """Return a target as a part's name: from the root if it begins with a slash, else from the folder."""
    target = target.replace("\\", "/")
    steps: list[str] = []
    for step in (target if target.startswith("/") else f"{folder}/{target}").split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step not in {"", "."}:
            steps.append(step)
    return "/".join(steps).lower()
