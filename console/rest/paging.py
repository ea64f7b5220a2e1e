"""Pages of a list: rows by id, with a cursor, so that the last page costs no more than the first."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from console import cursor
from console.errors import Refused
from console.numbers import id_of
from console.rest.fields import Body, Text, Whole

MOST, USUAL = 200, 50


# How many numbers are examined for one page of a feed, however few rows its filters leave.
LOOKED_THROUGH = 20_000


class PageQuery(Body):
    """The parameters that every list accepts."""

    limit = Whole(min_value=1, max_value=MOST, default=USUAL, in_query=True, help_text="The number of rows per page.")
    cursor = Text(required=False, max_length=120, help_text="The `next` of the previous page.")


class FeedQuery(PageQuery):
    """The parameters of a list that programs can follow as a feed."""

    order = serializers.ChoiceField(
        ["desc", "asc"],
        default="desc",
        help_text="`desc` returns the newest first. `asc` is for a program that follows the list: rows come in the "
        "order in which they became readable, `next` is always set, and no row is missed or returned twice.",
    )


def page(
    query: dict[str, Any],
    rows: QuerySet[Any],
    shape: type[serializers.Serializer],
    *,
    newest_first: bool = True,
    by: str = "",
    **context: Any,
) -> Response:
    """Return a page of the rows as `{results, next}`; `next` is null on the last page.

    Rows are ordered by id or, with `by`, by that time column and then by id. Raises Refused (422) for a cursor that did
    not come from a page.
    """
    sign, limit = "-" if newest_first else "", query["limit"]
    rows = rows.order_by(*([f"{sign}{by}"] if by else []), f"{sign}pk")
    if query.get("cursor"):
        rows = rows.filter(_after(query["cursor"], by, newest_first))
    found = list(rows[: limit + 1])
    after = _write(found[limit - 1], by) if len(found) > limit else None
    return Response({"results": shape(found[:limit], many=True, context=context).data, "next": after})


def follow(
    query: dict[str, Any],
    rows: QuerySet[Any],
    shape: type[serializers.Serializer],
    *,
    up_to: int,
    by: str = "id",
    **context: Any,
) -> Response:
    """Return the rows after the cursor in the order of `by`, as `{results, next, more}`.

    The caller determines `up_to` before the rows are read: no further row up to this number can become readable, and
    the cursor never passes it. `more` says whether more rows may follow at once, even if the page is not full. Raises
    Refused (422) for a cursor that did not come from a page in this order.
    """
    # A number of one feed means nothing in another, so a cursor contains the name of what it counts.
    after, limit = _number(query.get("cursor") or "", name := rows.model._meta.label_lower), query["limit"]
    # Skips the numbers of rows that were deleted or never committed.
    # unscoped: reads the next number only, and returns no row
    near = rows.model._base_manager.filter(**{f"{by}__gt": after}).order_by(by).values_list(by, flat=True)[:1]
    end = min([up_to, *(first + LOOKED_THROUGH - 1 for first in near)])
    found = list(rows.filter(**{f"{by}__gt": after, f"{by}__lte": end}).order_by(by)[:limit])
    reached = max(after, getattr(found[-1], by) if len(found) == limit else end)
    following = cursor.encode(f"{name} {reached}")
    results = shape(found, many=True, context=context).data
    return Response({"results": results, "next": following, "more": reached < up_to})


def _number(text: str, name: str) -> int:
    if not text:
        return 0
    word, _space, digits = cursor.decode(text).partition(" ")
    number = id_of(digits)
    if word != name or number is None:
        raise _no_cursor()
    return number


def _write(row: Any, by: str) -> str:
    text = f"{row.pk} {getattr(row, by).isoformat()}" if by else str(row.pk)
    return cursor.encode(text)


def _after(text: str, by: str, newest_first: bool) -> Q:
    """Return the condition for the rows past the cursor."""
    digits, _space, at = cursor.decode(text).partition(" ")
    pk, moment = id_of(digits), _moment(at) if by else None
    if pk is None or bool(by) != (moment is not None):
        raise _no_cursor()
    return cursor.beyond(by or "pk", moment, pk, descending=newest_first)


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _no_cursor() -> Refused:
    return Refused("bad_cursor", _("This cursor isn't valid. Start with the first page."), status=422)
