"""The copied databases of the tests are those that migrating makes now."""

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests import databases
from tests.conftest import DIFFERENCES


@pytest.mark.django_db
def test_every_migration_is_applied_in_the_copy():
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_a_database_is_known_by_all_that_makes_it():
    sources = databases._sources()
    for path in (
        "devices/migrations/0001_initial.py",
        "devices/models/device.py",
        "console/constraints.py",
        "console/fields.py",
    ):
        assert settings.BASE_DIR / path in sources, path
    assert any(path.parts[-4:-1] == ("contrib", "auth", "migrations") for path in sources)


def test_a_changed_or_a_further_migration_is_another_database(tmp_path, monkeypatch):
    sources = {tmp_path / "0001_initial.py"}
    monkeypatch.setattr(databases, "_sources", lambda: sources)
    (tmp_path / "0001_initial.py").write_text("operations = []\n")
    found = [databases.key(), databases.key()]
    (tmp_path / "0001_initial.py").write_text("operations = [1]\n")
    found.append(databases.key())
    (tmp_path / "0002_more.py").write_text("")
    sources.add(tmp_path / "0002_more.py")
    found.append(databases.key())
    assert found[0] == found[1]
    assert len(set(found)) == 3


@pytest.mark.parametrize("place", DIFFERENCES)
def test_each_place_where_databases_differ_has_tests(place):
    """A moved file would otherwise no longer run on PostgreSQL, and nothing would fail."""
    assert list((settings.BASE_DIR / "tests").glob(f"{place}*")) != []
