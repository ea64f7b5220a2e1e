"""Finds rows by the beginning of a text, in lists that are sorted differently. The results are never cut.

If there are few matches, they are found by their index first, because they would take long to find in the order of the
list. If there are very many, the list is read in its order, where the first matches come soon; a list of all their ids
would take longer.
"""

from typing import Any

from django.db.models import Q, QuerySet

from console import counts, sql

FEW = 1_000


def by_index(mine: QuerySet[Any], condition: Q) -> Q:
    """Return a condition on the rows of a list that holds for those of `mine` for which `condition` holds."""
    ids = list(mine.filter(condition).order_by().values_list("pk", flat=True)[: FEW + 1])
    return Q(pk__in=ids) if len(ids) <= FEW else condition


def any_of(ways: list[tuple[QuerySet[Any], Q]]) -> Q:
    """Return a condition that holds for the rows found by any of the ways, all of which are tried in one statement.

    Each way is the ids that it finds, by an index, and the equivalent condition on a row.
    """
    few: set[int] = set()
    many: list[Q] = []
    for found, (_ids, condition) in zip(sql.ids_of_each([ids for ids, _q in ways], FEW + 1), ways, strict=True):
        if len(found) > FEW:
            many.append(condition)
        else:
            few.update(found)
    if many and not few:
        # Without an alternative, PostgreSQL reads the rows in the order of the list; with one, it reads them all first.
        return Q(*many, _connector=Q.OR)
    # No row has the id 0. For an empty set of ids, Django would not generate a condition that can be combined with OR.
    return Q(Q(pk__in={0, *few}), *many, _connector=Q.OR)


def either(queryset: QuerySet[Any], mine: QuerySet[Any], conditions: list[Q]) -> QuerySet[Any]:
    """Return the rows for which one of the conditions holds, each of which is a range of an index of `mine`."""
    ranges = [mine.filter(condition).order_by() for condition in conditions]
    fitting = [c for c, number in zip(conditions, sql.capped_count_of_each(ranges, 1), strict=True) if number]
    if len(fitting) < 2:
        # One range of one index, which the order and the cursor can use. This is nearly every search.
        return queryset.filter(fitting[0] if fitting else conditions[0])
    ranges = [mine.filter(condition).order_by() for condition in fitting]
    if max(sql.capped_count_of_each(ranges, counts.CAP + 1)) > counts.CAP:
        return queryset.filter(Q(*fitting, _connector=Q.OR))
    return queryset.filter(Q(*(Q(pk__in=rows.values("pk")) for rows in ranges), _connector=Q.OR))
