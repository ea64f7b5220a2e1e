"""Lists: filtered, sorted and paged by a cursor, so that the last page costs as much as the first.

django-filter selects the rows, django-tables2 defines the columns and orders, and one row template draws a row. A
cursor holds the order's value and the id of the row at the edge of the page; the next page is a range of an index.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import django_tables2 as tables
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from console import counts, cursor, navigation, way_back
from console.requests import Request

PAGE_SIZE = 50


class Table(tables.Table):
    """The columns of a list. `row_template` draws a row; a column's `order_by` names the one key that sorts by it.

    A key must be unique, or nearly: ties are broken by the id. `default_order` is a column, with "-" for descending.
    """

    row_template = ""
    caption: Any = ""
    default_order = ""
    selectable = False
    empty_template = "components/empty.html"
    page_size = PAGE_SIZE
    # Templates read attributes of the class; without this they would create an instance.
    do_not_call_in_templates = True


@dataclass
class Page:
    """A page of a list: its rows, its position, and the links around it."""

    rows: list[Any]
    first: int
    total: int
    next: str = ""
    previous: str = ""
    headers: list[dict[str, Any]] = field(default_factory=list)
    chips: list[dict[str, Any]] = field(default_factory=list)

    @property
    def last(self) -> int:
        """Return the number of the last row on this page."""
        return self.first + len(self.rows) - 1

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than are counted."""
        return self.total > counts.CAP

    @property
    def total_capped(self) -> int:
        """Return the count, up to the cap."""
        return min(self.total, counts.CAP)


def render_list(
    request: Request,
    *,
    rows: QuerySet[Any],
    table: type[Table],
    template: str,
    filters: Any = None,
    decorate: Callable[[Request, list[Any]], None] | None = None,
    context: dict[str, Any] | None = None,
    counted: QuerySet[Any] | None = None,
) -> HttpResponse:
    """Return the page, or only its results if htmx asks for them. Runs at most one count and one select.

    `counted` are other rows, as many as there are without filters, that are cheaper to count.

    `decorate` sets what the page's rows show besides their columns, read for all of them at once.
    """
    filterset = filters(request.GET, queryset=rows, request=request) if filters else None
    if filterset is not None:
        rows = filterset.qs if filterset.is_valid() else rows.none()
    page = paginate(request, rows, table, counted=None if _query(request) else counted)
    if decorate is not None:
        decorate(request, page.rows)
    if filterset is not None:
        page.chips = _chips(request, filterset)
    full = {"page": page, "table": table, "filterset": filterset, "filters": _query(request), **(context or {})}
    partial = getattr(request, "htmx", False) and request.htmx.target == "results"
    response = render(request, "components/_results.html" if partial else template, full)
    way_back.remember(request, response)
    return response


def paginate(
    request: Request,
    rows: QuerySet[Any],
    table: type[Table],
    *,
    is_counted: bool = True,
    counted: QuerySet[Any] | None = None,
) -> Page:
    """Return the page that the cursor in the address names, or the first one. An invalid cursor is ignored.

    Without the count, a page costs the same however many rows there are; its total is then 0.
    """
    instance = table([])
    order = _order(request, instance)
    descending, key = order.startswith("-"), _key(instance, order.lstrip("-"))
    total = navigation.count_beside(request, counted if counted is not None else rows) if is_counted else 0
    edge = _decode(request.GET.get("cursor", ""), rows.model, key)
    backwards = bool(edge and edge["back"])
    if edge:
        rows = rows.filter(cursor.beyond(key, edge["value"], edge["id"], descending != backwards))
    sign = "-" if descending != backwards else ""
    keys = [f"{sign}{key}"] if key in {"id", "pk"} else [f"{sign}{key}", f"{sign}id"]
    found = list(rows.order_by(*keys)[: table.page_size + 1])
    more, found = len(found) > table.page_size, found[: table.page_size]
    if backwards:
        found.reverse()
    first = _first(edge, backwards, len(found), more)
    page = Page(found, first if found else 0, total)
    page.headers = _headers(request, instance, order)
    if found and (more or backwards):
        page.next = _link(request, cursor=_encode(found[-1], key, first + len(found), back=False))
    if found and edge and (not backwards or more):
        page.previous = _link(request, cursor=_encode(found[0], key, first, back=True))
    return page


def _order(request: Request, table: Table) -> str:
    order = request.GET.get("sort", "")
    name = order.lstrip("-")
    sortable = {column.name for column in table.columns if column.orderable}
    return order if name in sortable and order in {name, f"-{name}"} else table.default_order


def _key(table: Table, name: str) -> str:
    return str(next(iter(table.columns[name].order_by))).lstrip("-")


def _first(edge: dict[str, Any] | None, backwards: bool, length: int, more: bool) -> int:
    if not edge:
        return 1
    if not backwards:
        return edge["at"]
    return max(1, edge["at"] - length) if more else 1


def _encode(row: Any, key: str, at: int, *, back: bool) -> str:
    value = row.pk
    if key not in {"id", "pk"}:
        value = row
        for part in key.split("__"):
            value = getattr(value, part)
    text = json.dumps([value, row.pk, at, int(back)], separators=(",", ":"), default=str)
    return cursor.encode(text)


def _decode(text: str, model: Any, key: str) -> dict[str, Any] | None:
    try:
        value, pk, at, back = json.loads(cursor.decode(text))
        cleaned = model._meta.get_field(key).to_python(value) if "__" not in key else value
        if not all(isinstance(number, int) and 0 <= number < 2**62 for number in (pk, at)):
            return None
        if isinstance(cleaned, str) and "\0" in cleaned:
            return None
        return {"value": cleaned, "id": pk, "at": max(1, at), "back": bool(back)}
    except (ValueError, TypeError, FieldDoesNotExist, ArithmeticError, RecursionError, ValidationError):
        return None


def _headers(request: Request, table: Table, order: str) -> list[dict[str, Any]]:
    headers = []
    for column in table.columns:
        header: dict[str, Any] = {"name": column.name, "label": column.header, "class": column.attrs["th"].get("class")}
        if column.orderable:
            current = order.lstrip("-") == column.name
            descending = current and not order.startswith("-")
            header["url"] = _link(request, sort=f"-{column.name}" if descending else column.name, cursor=None)
            header["direction"] = ("descending" if order.startswith("-") else "ascending") if current else ""
        headers.append(header)
    return headers


def _chips(request: Request, filterset: Any) -> list[dict[str, Any]]:
    """Return a chip for each filter: its value and how to remove it, or the little form that sets it."""
    values = filterset.form.cleaned_data if filterset.form.is_valid() else {}
    errors = filterset.form.errors
    chips = []
    for name, bound in ((n, filterset.form[n]) for n in filterset.form.fields):
        value = values.get(name)
        if name == "q" or (bound.is_hidden and not value):
            continue
        chips.append(
            {
                "name": name,
                "label": bound.label,
                "field": bound,
                "errors": errors.get(name),
                "value": _said(bound.field, value) if value not in (None, "", [], False) else "",
                "is_hidden": bound.is_hidden,
                "drop": _link(request, **{name: None, "cursor": None}),
                "icon": getattr(filterset, "icons", {}).get(name),
                "others": [(k, v) for k in request.GET for v in request.GET.getlist(k) if k not in {name, "cursor"}],
            }
        )
    return sorted(chips, key=lambda chip: not chip["value"])


def _said(form_field: Any, value: Any) -> str:
    if isinstance(value, list | tuple | QuerySet):
        return ", ".join(_said(form_field, each) for each in value)
    if value is True:
        return _("yes")
    choices = dict(_flat(getattr(form_field, "choices", ()))) if isinstance(value, str) else {}
    return str(choices.get(value, value))


def _flat(choices: Any) -> Iterator[tuple[Any, Any]]:
    """Yield choices without their groups."""
    for value, label in choices:
        yield from label if isinstance(label, list | tuple) else [(value, label)]


def _query(request: Request) -> list[tuple[str, str]]:
    """Return the filters of this list as name and value, for forms that act on all matching rows."""
    return [(k, v) for k in request.GET for v in request.GET.getlist(k) if k not in {"cursor", "sort"} and v]


def _link(request: Request, **changes: Any) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}" if query else request.path
