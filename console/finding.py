"""Finds rows by the beginning of a text, in lists that have another order. What is found is never cut.

Few of very many are found by their index first: in the order of the list they would be looked for long. Where there are
very many, they are met soon enough in that order, and a list of all their ids would be the longer way.
"""

from django.db.models import Q, QuerySet

from console import counts, sql

FEW = 1_000


def by_index(mine: QuerySet, condition: Q) -> Q:
    """A condition on the rows of a list that holds for those of `mine` for which `condition` does."""
    ids = list(mine.filter(condition).order_by().values_list("pk", flat=True)[: FEW + 1])
    return Q(pk__in=ids) if len(ids) <= FEW else condition


def any_of(ways: list[tuple[QuerySet, Q]]) -> Q:
    """A condition that holds for the rows that one of the ways finds; all of them are asked in one statement.

    Each way is the ids that it finds, by an index, and the condition on a row that says the same.
    """
    few: set[int] = set()
    many: list[Q] = []
    for found, (_ids, condition) in zip(sql.ids_of_each([ids for ids, _q in ways], FEW + 1), ways, strict=True):
        if len(found) > FEW:
            many.append(condition)
        else:
            few.update(found)
    if many and not few:
        # Without an alternative, PostgreSQL meets them in the order of the list; with one it reads them all first.
        return Q(*many, _connector=Q.OR)
    # No row has the id 0; of no ids at all Django makes no statement that could stand beside others.
    return Q(Q(pk__in={0, *few}), *many, _connector=Q.OR)


def either(queryset: QuerySet, mine: QuerySet, conditions: list[Q]) -> QuerySet:
    """The rows for which one of the conditions holds, each of them a range of an index of `mine`."""
    ranges = [mine.filter(condition).order_by() for condition in conditions]
    fitting = [c for c, number in zip(conditions, sql.capped_count_of_each(ranges, 1), strict=True) if number]
    if len(fitting) < 2:
        # One range of one index, which the order and the cursor can use; that is nearly every search.
        return queryset.filter(fitting[0] if fitting else conditions[0])
    ranges = [mine.filter(condition).order_by() for condition in fitting]
    if max(sql.capped_count_of_each(ranges, counts.CAP + 1)) > counts.CAP:
        return queryset.filter(Q(*fitting, _connector=Q.OR))
    return queryset.filter(Q(*(Q(pk__in=rows.values("pk")) for rows in ranges), _connector=Q.OR))
