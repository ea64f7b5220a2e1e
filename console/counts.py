"""Row counts up to a cap, so that counting does not get slower as a table grows.

This process remembers for half a minute that a count is above the cap: the count is only displayed, nothing is decided
by it, and every page of a long list would otherwise count again.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

from console import sql

CAP = 10_000
SECONDS_KEPT = 30
KEYS_KEPT = 5_000
_many: dict[Any, float] = {}


def of(rows: models.QuerySet[Any]) -> int:
    """Return how many rows there are, up to one more than the cap."""
    return of_each([rows])[0]


def of_each(querysets: Sequence[models.QuerySet[Any]]) -> list[int]:
    """Return how many rows each queryset has, up to one more than the cap, all in one statement."""
    keys = [_key(rows) for rows in querysets]
    unknown = {key: rows for key, rows in zip(keys, querysets, strict=True) if key and not _is_many(key)}
    counts = sql.capped_count_of_each(list(unknown.values()), CAP + 1) if unknown else []
    found = {None: 0} | dict(zip(unknown, counts, strict=True))
    _remember(found)
    return [found.get(key, CAP + 1) for key in keys]


def of_parents(
    parents: type[models.Model], ids: Iterable[int], children: models.QuerySet[Any], column: str
) -> dict[int, int]:
    """Return how many of `children` each parent in `ids` has, up to one more than the cap, in one statement.

    `column` is the children's column that holds the parent's id.
    """
    ids, key = list(ids), _key(children)
    if key is None:
        return dict.fromkeys(ids, 0)
    base = (*key, column)
    unknown = [pk for pk in ids if not _is_many((*base, pk))]
    found = sql.capped_counts(parents, unknown, children, column, CAP + 1) if unknown else {}
    _remember({(*base, pk): count for pk, count in found.items()})
    return {pk: found.get(pk, CAP + 1) for pk in ids}


def forget() -> None:
    """Clear the remembered counts."""
    _many.clear()


def _key(rows: models.QuerySet[Any]) -> tuple[Any, ...] | None:
    """Return the cache key of the rows; None if their conditions alone rule out any row."""
    try:
        statement, parameters = rows.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return None
    return (connection.settings_dict["NAME"], CAP, statement, str(parameters))


def _is_many(key: Any) -> bool:
    return _many.get(key, 0.0) > time.monotonic()


def _remember(counts: dict[Any, int]) -> None:
    if len(_many) > KEYS_KEPT:
        forget()
    until = time.monotonic() + SECONDS_KEPT
    _many.update({key: until for key, count in counts.items() if count > CAP})
