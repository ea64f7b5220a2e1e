"""Constraint classes for rules that only a trigger or an exclusion can enforce.

They must be constraints in Meta: a trigger created by RunSQL is silently dropped when SQLite rebuilds its table, while
these are created again with it.
"""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import migrations
from django.db.backends.ddl_references import Statement, Table
from django.db.models import BaseConstraint, Q
from django.utils.translation import gettext_lazy as _

from console import feed


class TriggerConstraint(BaseConstraint):
    """A constraint enforced by triggers on SQLite, and by `postgresql_sql` on PostgreSQL."""

    def sqlite_triggers(self, model: Any, editor: Any) -> dict[str, str]:
        """Return trigger bodies by suffix, in which `%(table)s` and `%(name)s` are placeholders."""
        raise NotImplementedError

    def postgresql_create(self, model: Any, editor: Any) -> str:
        """Return the statement that creates the rule on PostgreSQL."""
        raise NotImplementedError

    def postgresql_remove(self, model: Any, editor: Any) -> str:
        """Return the statement that removes the rule on PostgreSQL."""
        raise NotImplementedError

    def _statements(self, model: Any, editor: Any) -> list[Statement]:
        return [
            Statement(
                body,
                table=Table(model._meta.db_table, editor.quote_name),
                name=editor.quote_name(f"{self.name}_{suffix}"),
            )
            for suffix, body in self.sqlite_triggers(model, editor).items()
        ]

    def constraint_sql(self, model: Any, editor: Any) -> None:  # type: ignore[override]  # Django leaves None out
        """Add nothing to CREATE TABLE. The statements run once the table exists, also after SQLite rebuilt it."""
        if editor.connection.vendor == "sqlite":
            editor.deferred_sql.extend(self._statements(model, editor))
        else:
            editor.deferred_sql.append(self.postgresql_create(model, editor))

    def create_sql(self, model: Any, editor: Any) -> Any:
        """Return the statement that adds the rule to an existing table."""
        if editor.connection.vendor != "sqlite":
            return self.postgresql_create(model, editor)
        statements = self._statements(model, editor)
        for statement in statements[:-1]:
            editor.execute(statement)
        return statements[-1] if statements else None

    def remove_sql(self, model: Any, editor: Any) -> Any:
        """Return the statement that removes the rule."""
        if editor.connection.vendor != "sqlite":
            return self.postgresql_remove(model, editor)
        names = [editor.quote_name(f"{self.name}_{suffix}") for suffix in self.sqlite_triggers(model, editor)]
        for name in names[1:]:
            editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        return f"DROP TRIGGER IF EXISTS {names[0]}" if names else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]


class NoOverlap(TriggerConstraint):
    """Half-open spans `[start, end)` of one `scope` never overlap. An end of null is open.

    Needs no extension: on PostgreSQL an int8range of the single id replaces equality under GiST.
    """

    def __init__(
        self, *, name: str, scope: str, start: str, end: str, violation_error_message: Any = None, **kwargs: Any
    ) -> None:
        self.scope, self.start, self.end = scope, start, end
        message = violation_error_message or _("This span overlaps another one.")
        super().__init__(name=name, violation_error_message=message, **kwargs)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        kwargs.pop("violation_error_message", None)
        return path, args, {**kwargs, "scope": self.scope, "start": self.start, "end": self.end}

    def _columns(self, model: Any, editor: Any) -> tuple[str, str, str]:
        return tuple(editor.quote_name(model._meta.get_field(n).column) for n in (self.scope, self.start, self.end))

    def postgresql_create(self, model: Any, editor: Any) -> str:
        scope, start, end = self._columns(model, editor)
        table, name = editor.quote_name(model._meta.db_table), editor.quote_name(self.name)
        return (
            f"ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist "
            f"(int8range({scope}, {scope}, '[]') WITH &&, tstzrange({start}, {end}) WITH &&)"
        )

    def postgresql_remove(self, model: Any, editor: Any) -> str:
        table, name = editor.quote_name(model._meta.db_table), editor.quote_name(self.name)
        return f"ALTER TABLE {table} DROP CONSTRAINT {name}"

    def sqlite_triggers(self, model: Any, editor: Any) -> dict[str, str]:
        scope, start, end = self._columns(model, editor)
        pk = editor.quote_name(model._meta.pk.column)
        clash = (
            f"SELECT 1 FROM %(table)s AS other WHERE other.{scope} = NEW.{scope} AND other.{pk} IS NOT NEW.{pk} "  # noqa: S608
            f"AND (other.{end} IS NULL OR other.{end} > NEW.{start}) "
            f"AND (NEW.{end} IS NULL OR other.{start} < NEW.{end})"
        )
        # The text uses the constraint's name, by which Django recognises an IntegrityError.
        act = f"BEGIN SELECT RAISE(ABORT, 'constraint failed: {self.name}') WHERE EXISTS ({clash}); END"
        return {
            "insert": f"CREATE TRIGGER %(name)s AFTER INSERT ON %(table)s {act}",
            "update": f"CREATE TRIGGER %(name)s AFTER UPDATE OF {scope}, {start}, {end} ON %(table)s {act}",
        }

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        """Raise ValidationError if the instance overlaps a row."""
        start, end = getattr(instance, self.start), getattr(instance, self.end)
        others = model._default_manager.using(using).filter(
            Q(**{f"{self.end}__isnull": True}) | Q(**{f"{self.end}__gt": start}),
            **{self.scope: getattr(instance, self.scope)},
        )
        if end is not None:
            others = others.filter(**{f"{self.start}__lt": end})
        if others.exclude(pk=instance.pk).exists():
            raise ValidationError(self.get_violation_error_message())


class AppendOnly(TriggerConstraint):
    """Rows are added and never changed. `Undeletable` keeps them from being deleted."""

    def postgresql_create(self, model: Any, editor: Any) -> str:
        table, function = editor.quote_name(model._meta.db_table), editor.quote_name(f"{self.name}_refuse")
        return (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'constraint failed: {self.name}' USING ERRCODE = 'check_violation'; END $$; "
            f"CREATE TRIGGER {editor.quote_name(self.name)} BEFORE UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        )

    def postgresql_remove(self, model: Any, editor: Any) -> str:
        table = editor.quote_name(model._meta.db_table)
        return f"DROP TRIGGER IF EXISTS {editor.quote_name(self.name)} ON {table}"

    def sqlite_triggers(self, model: Any, editor: Any) -> dict[str, str]:
        act = f"BEGIN SELECT RAISE(ABORT, 'constraint failed: {self.name}'); END"
        return {"update": f"CREATE TRIGGER %(name)s BEFORE UPDATE ON %(table)s {act}"}

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        """Raise ValidationError if the instance is already saved, because it can't be changed."""
        if not instance._state.adding:
            raise ValidationError(self.get_violation_error_message())


class Undeletable(TriggerConstraint):
    """Rows are history: neither DELETE nor, on PostgreSQL, TRUNCATE removes them, whoever runs it."""

    def postgresql_create(self, model: Any, editor: Any) -> str:
        table, function = editor.quote_name(model._meta.db_table), editor.quote_name(f"{self.name}_refuse")
        row, all_rows = (editor.quote_name(f"{self.name}{end}") for end in ("", "_all"))
        return (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'constraint failed: {self.name}' USING ERRCODE = 'check_violation'; END $$; "
            f"CREATE TRIGGER {row} BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}(); "
            f"CREATE TRIGGER {all_rows} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )

    def postgresql_remove(self, model: Any, editor: Any) -> str:
        table, function = editor.quote_name(model._meta.db_table), editor.quote_name(f"{self.name}_refuse")
        row, all_rows = (editor.quote_name(f"{self.name}{end}") for end in ("", "_all"))
        return (
            f"DROP TRIGGER IF EXISTS {row} ON {table}; DROP TRIGGER IF EXISTS {all_rows} ON {table}; "
            f"DROP FUNCTION IF EXISTS {function}()"
        )

    def sqlite_triggers(self, model: Any, editor: Any) -> dict[str, str]:
        act = f"BEGIN SELECT RAISE(ABORT, 'constraint failed: {self.name}'); END"
        return {"delete": f"CREATE TRIGGER %(name)s BEFORE DELETE ON %(table)s {act}"}

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        """Accept every instance."""


class InOrder(TriggerConstraint):
    """Rows can be read in the order of `column`, a number from its sequence, without missing any: see `console.feed`.

    On PostgreSQL each statement that adds rows, however it is written, announces its transaction once, before it draws
    the first number. SQLite assigns numbers in the order of commits anyway. With `numbers_on`, the number is not one
    that the table assigns anyway: a row gets one when it is added, and another whenever that field changes.
    """

    def __init__(self, *, name: str, column: str = "id", numbers_on: str = "", **kwargs: Any) -> None:
        self.column, self.numbers_on = column, numbers_on
        super().__init__(name=name, **kwargs)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "column": self.column, "numbers_on": self.numbers_on}

    def postgresql_create(self, model: Any, editor: Any) -> str:
        table, function = editor.quote_name(model._meta.db_table), editor.quote_name(f"{self.name}_announce")
        setting, sequence = f"custody.{self.name}", feed.sequence_of(model._meta.db_table, self.column)
        call = feed.announce(str(feed.lane_of(self.name)), feed.last_given(sequence))
        events = "INSERT OR UPDATE" if self.numbers_on else "INSERT"
        # The setting is rolled back with the savepoint in which it was made, as the lock is.
        announce = (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF current_setting('{setting}', true) IS DISTINCT FROM 'announced' THEN PERFORM {call}; "
            f"PERFORM set_config('{setting}', 'announced', true); END IF; RETURN NULL; END $$; "
            f"CREATE TRIGGER {editor.quote_name(self.name)} BEFORE {events} ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
        return f"{self._numbering(model, editor)}; {announce}" if self.numbers_on else announce

    def _numbering(self, model: Any, editor: Any) -> str:
        table, column = editor.quote_name(model._meta.db_table), editor.quote_name(self.column)
        changing = editor.quote_name(self.numbers_on)
        sequence = editor.quote_name(feed.sequence_of(model._meta.db_table, self.column))
        name = editor.quote_name(f"{self.name}_number")
        begun = f"SELECT setval('{sequence}', (SELECT MAX({column}) FROM {table})) FROM {table} LIMIT 1"  # noqa: S608
        return (
            f"CREATE SEQUENCE IF NOT EXISTS {sequence} OWNED BY {table}.{column}; {begun}; "
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"NEW.{column} := nextval('{sequence}'); RETURN NEW; END $$; "
            f"CREATE TRIGGER {editor.quote_name(f'{self.name}_added')} BEFORE INSERT ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {name}(); "
            f"CREATE TRIGGER {editor.quote_name(f'{self.name}_changed')} BEFORE UPDATE ON {table} "
            f"FOR EACH ROW WHEN (OLD.{changing} IS DISTINCT FROM NEW.{changing}) EXECUTE FUNCTION {name}()"
        )

    def postgresql_remove(self, model: Any, editor: Any) -> str:
        table = editor.quote_name(model._meta.db_table)
        triggers, functions = [self.name], [f"{self.name}_announce"]
        if self.numbers_on:
            triggers += [f"{self.name}_added", f"{self.name}_changed"]
            functions.append(f"{self.name}_number")
        statements = [f"DROP TRIGGER IF EXISTS {editor.quote_name(name)} ON {table}" for name in triggers]
        statements += [f"DROP FUNCTION IF EXISTS {editor.quote_name(name)}()" for name in functions]
        return "; ".join(statements)

    def sqlite_triggers(self, model: Any, editor: Any) -> dict[str, str]:
        if not self.numbers_on:
            return {}
        column, pk = editor.quote_name(self.column), editor.quote_name(model._meta.pk.column)
        act = (
            f"BEGIN UPDATE %(table)s SET {column} = (SELECT MAX({column}) + 1 FROM %(table)s) "  # noqa: S608
            f"WHERE {pk} = NEW.{pk}; END"
        )
        changed = editor.quote_name(self.numbers_on)
        return {
            "added": f"CREATE TRIGGER %(name)s AFTER INSERT ON %(table)s {act}",
            "changed": f"CREATE TRIGGER %(name)s AFTER UPDATE OF {changed} ON %(table)s {act}",
        }

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        """Accept every instance."""


class AddTriggers(migrations.AddConstraint):
    """Adds such a constraint to a table that has rows. Django would rebuild the table on SQLite."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        self._run(schema_editor, model, self.constraint.create_sql(model, schema_editor))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        self._run(schema_editor, model, self.constraint.remove_sql(model, schema_editor))

    def _run(self, editor: Any, model: Any, statement: Any) -> None:
        if statement and self.allow_migrate_model(editor.connection.alias, model):
            editor.execute(statement)
