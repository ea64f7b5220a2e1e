"""Files that are complete before they are sent. Actions build them; views and endpoints answer with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header

# The name, the header and the rows of a list that is sent while it is being written, see console.export.
Table = tuple[str, Iterable[Any], Iterable[list[Any]]]


@dataclass(frozen=True)
class File:
    """A download: bytes or an open file, its type and its name. By default, caches on the way may not store it."""

    content: bytes | IO[Any]
    content_type: str
    name: str
    cache: str = "no-store"


def answer(file: File) -> HttpResponseBase:
    """Return a response that downloads the file."""
    is_whole = isinstance(file.content, bytes)
    response: HttpResponseBase = HttpResponse(file.content) if is_whole else FileResponse(file.content)
    response["Content-Type"] = file.content_type
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name)
    response["Cache-Control"] = file.cache
    return response
