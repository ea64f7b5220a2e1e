"""Lists of the API as CSV and XLSX files, written by the code that exports from the console.

@export("Download devices", may=Permission.EXPORT, query=unpaged(DeviceQuery), tag="devices")
def device_export(request, form): ...

*files("devices", device_export)         # devices.csv and devices.xlsx
"""

from collections.abc import Callable, Iterator
from copy import copy
from functools import update_wrapper
from typing import Any

from django.conf import settings
from django.http import QueryDict, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.translation import override

from console.access import CustomerScope, Permission
from console.export import stream
from console.requests import Request
from console.rest.endpoints import Endpoint, Function, endpoint, resource
from console.rest.fields import Body
from console.rest.paging import PageQuery

FORMS = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
Forms = dict[str, Endpoint]


def export(
    summary: str, *, may: Permission, customer: CustomerScope | None = None, query: type[Body] | None = None, tag: str
) -> Callable[[Function], Forms]:
    """Return a decorator that makes an endpoint for each file format of a function.

    The function gets the request and the format, and returns a stream.
    """

    def mark(run: Function) -> Forms:
        terms: dict[str, Any] = {"may": may, "customer": customer, "query": query, "tag": tag}
        return {
            form: endpoint(f"{summary} as {form.upper()}", media=[media], **terms)(_in(form, run))
            for form, media in FORMS.items()
        }

    return mark


def files(address: str, made: Forms) -> list[URLPattern]:
    """Return the addresses of the formats: the list's address with a file name extension."""
    return [path(f"{address}.{form}", resource(get=each)) for form, each in made.items()]


def unpaged(query: type[PageQuery]) -> type[Body]:
    """Return the list's query without its paging parameters, since a file holds all rows."""
    name = query.__name__.removesuffix("Query") + "ExportQuery"
    return type(name, (query,), {"limit": None, "cursor": None, "__doc__": query.__doc__})


def written(form: str, request: Any, name: str, header: list[str], rows: Any) -> StreamingHttpResponse:
    """Return the rows as a streamed file of this format."""
    return stream(as_exported(request, form), name, header, rows)


def as_exported(request: Any, form: str, **wanted: Any) -> Request:
    """Return the call as the console's export would get it, with format and filters in the query string.

    Values that are None, False or empty do not filter.
    """
    asked = copy(request._request)
    asked.GET = QueryDict(mutable=True)
    asked.GET["format"] = form
    for name, value in wanted.items():
        if value not in (None, False, ""):
            asked.GET[name] = "on" if value is True else str(value)
    return asked


def _in(form: str, run: Function) -> Function:
    """Return the function for one format, under a distinct name."""

    def answer(request: Any, **kwargs: Any) -> StreamingHttpResponse:
        with override(settings.LANGUAGE_CODE):
            response = run(request, form=form, **kwargs)
        response.streaming_content = _plain(response.streaming_content)
        response["Cache-Control"] = "no-store"
        return response

    update_wrapper(answer, run)
    answer.__name__ = f"{run.__name__}_{form}"
    return answer


def _plain(content: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content with its words in the language of the documentation, because programs read them.

    The language is activated for each piece separately: between two pieces the thread belongs to the server.
    """
    while True:
        with override(settings.LANGUAGE_CODE):
            piece = next(content, None)
        if piece is None:
            return
        yield piece
