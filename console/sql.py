"""The few SQL statements that Django's ORM cannot express, in one place, for both databases."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from django.db import connection, models

if TYPE_CHECKING:

    class Stored(models.Field[Any, Any]):
        """A field with a column. Other fields, and reverse relations, are never passed to SQL."""

        column: str


Rows = TypeVar("Rows", bound=models.QuerySet[Any])


def quote(name: str) -> str:
    """Return the name of a table or column, quoted."""
    return connection.ops.quote_name(name)


def table(model: type[models.Model]) -> str:
    """Return the quoted table of a model."""
    return quote(model._meta.db_table)


def field(model: type[models.Model], name: str = "") -> "Stored":
    """Return the field of the model that has this name; without a name, its primary key."""
    return cast("Stored", model._meta.get_field(name) if name else model._meta.pk)


def in_ids(column: str) -> str:
    """Return the condition that `column` is one of the ids passed as one parameter, however many there are."""
    values = "= ANY(%s)" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
    return f"{quote(column)} {values}"


def id_list(ids: Iterable[int | str]) -> Any:
    """Return the parameter that goes with `in_ids`."""
    return list(ids) if connection.vendor == "postgresql" else json.dumps(list(ids))


def placeholder(of: "models.Field[Any, Any]") -> str:
    """Return a placeholder of the field's type. PostgreSQL does not infer it in INSERT … SELECT."""
    return f"%s::{of.db_type(connection)}" if connection.vendor == "postgresql" else "%s"


def greatest(*values: str) -> str:
    """Return SQL for the greatest of these values that are not null."""
    if connection.vendor == "postgresql":
        return f"GREATEST({', '.join(values)})"
    # On SQLite, MAX of several values is null if one of them is; the aggregate MAX ignores nulls.
    rows = " UNION ALL ".join(f"SELECT {each} AS value" for each in values)
    return f"(SELECT MAX(value) FROM ({rows}))"  # noqa: S608


def a_tick_after(moment: str) -> str:
    """Return SQL for the instant right after this one; null for null."""
    if connection.vendor == "postgresql":
        return f"{moment} + INTERVAL '1 microsecond'"
    return f"django_format_dtdelta('+', {moment}, 1)"


def insert_from(
    model: type[models.Model],
    constants: dict[str, Any],
    copied: dict[str, str],
    source: type[models.Model],
    ids: Iterable[int],
    parameters: Iterable[Any] = (),
) -> int:
    """Insert a row of `model` for each row of `source` in `ids`, by one INSERT … SELECT.

    `constants` are field values that all rows share; `copied` maps fields to SQL over the source, with `parameters` for
    its placeholders. Returns how many rows were written.
    """
    fields = {name: field(model, name) for name in [*constants, *copied]}
    columns = ", ".join(quote(f.column) for f in fields.values())
    select = ", ".join([*(placeholder(fields[name]) for name in constants), *copied.values()])
    values = [fields[name].get_db_prep_save(value, connection) for name, value in constants.items()]
    pk = field(source).column
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table(model)} ({columns}) SELECT {select} FROM {table(source)} WHERE {in_ids(pk)} "  # noqa: S608
            f"ORDER BY {quote(pk)}",
            [*values, *parameters, id_list(ids)],
        )
        return cursor.rowcount


def update_returning(sql: str, parameters: list[Any]) -> list[int]:
    """Run an UPDATE … RETURNING of one integer column and return its values."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]


@contextmanager
def prepared_cursor(statement: str, parameters: list[Any]) -> Iterator[Any]:
    """Yield a cursor that has run this statement, whose plan the connection keeps.

    For the one or two statements that devices run all the time: PostgreSQL needs longer to plan than to run them.
    SQLite's driver keeps plans by itself. Listeners for Django's queries are notified of it as usual.
    """
    if connection.vendor != "postgresql" or connection.queries_logged or connection.execute_wrappers:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            yield cursor
        return
    # If only SQLite is used, it need not be installed.
    import psycopg

    # Like Django's own cursors: a connection that broke since the last request is opened again.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters, prepare=True)
        yield cursor


def having_ids(rows: Rows, column: str, ids: Iterable[int | str]) -> Rows:
    """Return the rows whose `column` is one of the ids, passed as one parameter: an `__in` without an upper limit."""
    condition = in_ids(f"{rows.model._meta.db_table}.{column}".replace(".", '"."'))
    return cast(Rows, rows.extra(where=[condition], params=[id_list(ids)]))  # noqa: S610


def update_rows(model: type[models.Model], rows: list[Any], names: list[str]) -> None:
    """Write the named fields of many rows: one statement on PostgreSQL, one prepared statement on SQLite.

    A bulk_update builds a CASE for every row and field, which is slow beyond some hundred rows.
    """
    key = field(model)
    fields = [key, *(field(model, name) for name in names)]
    values = [[f.get_db_prep_save(getattr(row, f.attname), connection) for f in fields] for row in rows]
    if not values:
        return
    if connection.vendor == "postgresql":
        columns = ", ".join(quote(f.column) for f in fields)
        arrays = ", ".join(f"%s::{f.db_type(connection)}[]" for f in fields)
        changed = ", ".join(f"{quote(f.column)} = new.{quote(f.column)}" for f in fields[1:])
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table(model)} SET {changed} FROM unnest({arrays}) AS new({columns}) "  # noqa: S608
                f"WHERE {table(model)}.{quote(key.column)} = new.{quote(key.column)}",
                [list(column) for column in zip(*values, strict=True)],
            )
        return
    changed = ", ".join(f"{quote(f.column)} = %s" for f in fields[1:])
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table(model)} SET {changed} WHERE {quote(key.column)} = %s",  # noqa: S608
            [[*row[1:], row[0]] for row in values],
        )


def capped_counts(
    parents: type[models.Model], ids: Iterable[int], children: models.QuerySet[Any], column: str, cap: int
) -> dict[int, int]:
    """Return how many of `children` each parent in `ids` has, counted up to `cap`, in one statement.

    `column` is the children's column that holds the parent's id. The cap keeps the cost from growing with the table.
    """
    of_parent = f"{table(children.model)}.{quote(column)} = parent.id"
    counted = children.order_by().extra(where=[of_parent])[:cap].values("pk")  # noqa: S610
    inner, parameters = counted.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT parent.id, (SELECT COUNT(*) FROM ({inner}) AS counted) FROM {table(parents)} AS parent "  # noqa: S608
            f"WHERE {in_ids('id')}",
            [*parameters, id_list(ids)],
        )
        return dict(cursor.fetchall())


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Return ids for `count` new rows, in ascending order, reserved for the caller. Call it within a transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [table(model), field(model).column, count],
            )
            return sorted(row[0] for row in cursor.fetchall())
        # The lock that the transaction has held since its beginning keeps others from reserving the same ids.
        cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [model._meta.db_table])
        last = cursor.fetchone()[0]
        return list(range(last + 1, last + 1 + count))


def insert_rows(model: type[models.Model], names: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Write very many new rows without creating objects: COPY on PostgreSQL, one statement on SQLite.

    The values follow the fields in `names`, as the database takes them. Raises IntegrityError like any INSERT.
    """
    columns = [field(model, name).column for name in names]
    named = ", ".join(quote(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {table(model)} ({named}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join("%s" for _column in columns)
        # In batches, because Django keeps the parameters until the statement is done.
        waiting = iter(rows)
        while portion := list(islice(waiting, 2_000)):
            cursor.executemany(f"INSERT INTO {table(model)} ({named}) VALUES ({marks})", portion)  # noqa: S608


def prepared(model: type[models.Model], name: str, value: Any) -> Any:
    """Return a value as the database takes it in the field's column."""
    return field(model, name).get_db_prep_save(value, connection)


def capped_count_of_each(querysets: list[models.QuerySet[Any]], cap: int) -> list[int]:
    """Return how many rows each queryset has, counted up to `cap`, all in one statement."""
    parts: list[str] = []
    parameters: list[Any] = []
    for rows in querysets:
        inner, values = rows.order_by()[:cap].values("pk").query.sql_with_params()
        parts.append(f"(SELECT COUNT(*) FROM ({inner}) AS counted)")  # noqa: S608
        parameters += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        return list(cursor.fetchone())


def ids_of_each(querysets: list[models.QuerySet[Any]], most: int) -> list[list[int]]:
    """Return the values of each single-column queryset, at most `most` of each, all in one statement."""
    parts: list[str] = []
    parameters: list[Any] = []
    for number, rows in enumerate(querysets):
        inner, values = rows.order_by()[:most].query.sql_with_params()
        parts.append(f"SELECT {number}, found.* FROM ({inner}) AS found")  # noqa: S608
        parameters += values
    given: list[list[int]] = [[] for _rows in querysets]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), parameters)
        for number, pk in cursor.fetchall():
            given[number].append(pk)
    return given


class Lookup(NamedTuple):
    """What to look up: the `values` of field `name` within `scope` ({field: id}).

    `where` is a further condition, written like that of a partial index. The field is a KeyField, or its values consist
    of digits, capitals and colons, which databases and Python sort alike.
    """

    name: str
    values: list[str]
    scope: dict[str, int]
    where: str = ""


def ids_by_value(model: type[models.Model], lookups: Iterable[Lookup]) -> list[dict[str, int]]:
    """For each lookup, return the id of a row for each existing value, however many there are, at a single instant.

    PostgreSQL is forced to one descent of an index for each value: while a table grows, it would otherwise guess that
    reading all rows of the scope is cheaper. Values that lie beyond all known ones, as those of a new lot do, cost one
    descent together.
    """
    found: list[dict[str, int]] = []
    parts: list[str] = []
    parameters: list[Any] = []
    for name, values, scope, where in lookups:
        found.append({})
        if not values:
            continue
        column, ids = quote(field(model, name).column), list(scope.values())
        scoped = [f"{quote(field(model, each).column)} = %s" for each in scope]
        condition = " AND ".join([*scoped, *filter(None, [where])])
        is_near = f"(SELECT EXISTS (SELECT 1 FROM {table(model)} WHERE {condition} AND {column} BETWEEN %s AND %s))"  # noqa: S608
        if connection.vendor == "postgresql":
            parts.append(
                f"SELECT {len(found) - 1}, wanted.value, hit.id "  # noqa: S608
                "FROM json_array_elements_text(%s::json) AS wanted(value) CROSS JOIN LATERAL "
                f"(SELECT id FROM {table(model)} WHERE {condition} AND {column} = wanted.value LIMIT 1) AS hit "
                f"WHERE {is_near}"
            )
            parameters += [json.dumps(values), *ids]
        else:
            parts.append(
                f"SELECT {len(found) - 1}, {column}, id FROM {table(model)} "  # noqa: S608
                f"WHERE {condition} AND {column} IN (SELECT value FROM json_each(%s)) AND {is_near}"
            )
            parameters += [*ids, json.dumps(values)]
        parameters += [*ids, min(values), max(values)]
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), parameters)
            for number, value, pk in cursor.fetchall():
                found[number][value] = pk
    return found


class Joined(models.Aggregate):
    """The texts of a group joined with `SEPARATOR`, for the few names that belong to a row of a list."""

    SEPARATOR = "\x1f"
    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, '\x1f')"
    output_field = models.TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Compile with SQLite's own name for the function."""
        return super().as_sql(compiler, connection, function="GROUP_CONCAT", **context)
