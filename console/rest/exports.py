"""Lists as files: what a list of the API gives, as CSV and as XLSX, written by the code that the console exports with.

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
    """Make an endpoint of each form of a function, which gets the call and the form, and answers a stream."""

    def mark(run: Function) -> Forms:
        terms: dict[str, Any] = {"may": may, "customer": customer, "query": query, "tag": tag}
        return {
            form: endpoint(f"{summary} as {form.upper()}", media=[media], **terms)(_in(form, run))
            for form, media in FORMS.items()
        }

    return mark


def files(address: str, made: Forms) -> list[URLPattern]:
    """The addresses of the forms: that of the list with an ending."""
    return [path(f"{address}.{form}", resource(get=each)) for form, each in made.items()]


def unpaged(query: type[PageQuery]) -> type[Body]:
    """What the list takes, without its pages: a file holds all of it."""
    name = query.__name__.removesuffix("Query") + "ExportQuery"
    return type(name, (query,), {"limit": None, "cursor": None, "__doc__": query.__doc__})


def written(form: str, request: Any, name: str, header: list[str], rows: Any) -> StreamingHttpResponse:
    """The rows as a file of this form."""
    return stream(as_exported(request, form), name, header, rows)


def as_exported(request: Any, form: str, **wanted: Any) -> Request:
    """The call as the console's export would get it: form and filters stand in the address. None filters nothing."""
    asked = copy(request._request)
    asked.GET = QueryDict(mutable=True)
    asked.GET["format"] = form
    for name, value in wanted.items():
        if value not in (None, False, ""):
            asked.GET[name] = "on" if value is True else str(value)
    return asked


def _in(form: str, run: Function) -> Function:
    """The function for one form, under a name of its own."""

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
    """The content, its words in the language of the documentation: programs read them, whatever they accept.

    It is switched on for each piece alone, for between two of them the thread is the server's.
    """
    while True:
        with override(settings.LANGUAGE_CODE):
            piece = next(content, None)
        if piece is None:
            return
        yield piece
