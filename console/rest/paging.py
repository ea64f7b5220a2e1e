"""Pages of a list: rows by id, with a cursor, so that the last page costs what the first one does."""

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


# So many numbers are looked through for a page of a feed, whatever its filters leave of them.
LOOKED_THROUGH = 20_000


class PageQuery(Body):
    """What every list takes."""

    limit = Whole(min_value=1, max_value=MOST, default=USUAL, in_query=True, help_text="Rows of a page.")
    cursor = Text(required=False, max_length=120, help_text="Of the page before: its `next`.")


class FeedQuery(PageQuery):
    """What a list takes that programs follow."""

    order = serializers.ChoiceField(
        ["desc", "asc"],
        default="desc",
        help_text="The newest first; or, for a program that follows the list, in the order in which rows became readable: "
        "then `next` is always given, and nothing is missed or given twice.",
    )


def page(
    query: dict[str, Any],
    rows: QuerySet,
    shape: type[serializers.Serializer],
    *,
    newest_first: bool = True,
    by: str = "",
    **context: Any,
) -> Response:
    """A page of the rows as `{results, next}`; `next` is null on the last one.

    Rows are ordered by their ids or, with `by`, by that column of times and then by their ids. Raises Refused (422) for
    a cursor that no page gave.
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
    rows: QuerySet,
    shape: type[serializers.Serializer],
    *,
    up_to: int,
    by: str = "id",
    **context: Any,
) -> Response:
    """The rows after the cursor in the order of `by`, as `{results, next, more}`.

    `up_to` was asked before: up to this number nothing can become readable any more, so the cursor never passes it.
    Where a page holds fewer rows than it might, `more` says whether others may follow at once. Raises Refused (422) for
    a cursor that no page of this order gave.
    """
    # Numbers of one feed mean nothing in another: a cursor carries the name of what it counts.
    after, limit = _number(query.get("cursor") or "", name := rows.model._meta.label_lower), query["limit"]
    # Numbers of rows that are gone, or never came, are passed over.
    # unscoped: the next number, and no row
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
    """The condition for the rows past the cursor."""
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
    return Refused("bad_cursor", _("No page gave this cursor. Begin with the first page."), status=422)
