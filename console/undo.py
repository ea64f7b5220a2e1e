"""Undoing operations: one page for all of them.

Each kind of work that can be undone declares how, in its own package.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from console.models import Operation
from console.requests import Request

SHOWN = 50
# Every declared undo by its route, which operations store as `undo_route`.
DECLARED: dict[str, "Undo"] = {}


def no_warning(found: dict[str, Any]) -> str:
    """Return no warning."""
    return ""


@dataclass(frozen=True, eq=False)
class Undo:
    """How one kind of operation is undone. Declaring it registers it.

    `route` is the page that undoes an operation, `parent` (label, route) the list above it. `heading` and `button` take
    the number of rows that can be undone, `effects` are pairs of icon and text, `fit` is the label of that number.
    `preview` returns the context of the template `rows`, with at least `fit`; `warning` takes that context. `begin`
    performs the undo.
    """

    route: str
    title: Any
    parent: tuple[Any, str]
    heading: Callable[[int], str]
    effects: list[tuple[str, Any]]
    button: Callable[[int], str]
    fit: Any
    rows: str
    preview: Callable[..., dict[str, Any]]
    begin: Callable[..., Operation]
    warning: Callable[[dict[str, Any]], str] = no_warning
    is_danger: bool = False

    def __post_init__(self) -> None:
        if self.route in DECLARED:
            raise ImproperlyConfigured(f"The undo {self.route} is declared twice.")
        DECLARED[self.route] = self


def page(request: Request, pk: int, undo: Undo) -> HttpResponse:
    """Return the page that says what undoing an operation would change; a POST undoes it.

    Raises Http404 for an operation that is undone in another way.
    """
    operations = Operation.objects.visible_to(request.actor).filter(undo_route=undo.route)
    operation = get_object_or_404(operations, pk=pk)
    if request.method == "POST":
        return redirect(undo.begin(operation, by=request.actor))
    found = undo.preview(operation, shown=SHOWN)
    words = {
        "heading": undo.heading(found["fit"]),
        "button": undo.button(found["fit"]),
        "warning": undo.warning(found),
        "fit_label": undo.fit,
    }
    return render(request, "components/undo.html", {"undo": undo, "operation": operation, **words, **found})


def with_link(operation: Operation, done: str) -> str:
    """Return the sentence `done` with a link to the operation's undo and the time until which it is possible."""
    until = _("until %(time)s") % {"time": f"{timezone.localtime(operation.undo_until):%H:%M}"}
    url = reverse(operation.undo_route, args=[operation.pk])
    return format_html('{} <a href="{}">{}</a> {}', done, url, _("Undo"), until)


@register
def undos_have_pages(**kwargs: Any) -> list[CheckMessage]:
    """Check that the page and the list of each declared undo are routes."""
    return [
        Error(f"The undo {undo.route} names {route}, which is not a route.", hint="Name a route.", id="custody.E041")
        for undo in DECLARED.values()
        for route, args in ((undo.route, [1]), (undo.parent[1], []))
        if not _is_route(route, args)
    ]


def _is_route(name: str, args: list[int]) -> bool:
    try:
        reverse(name, args=args)
    except NoReverseMatch:
        return False
    return True
