"""The small world: Alice runs the organization, Bob supports it, Charlie is from another one and must see nothing;
Dana is a customer's person, Erin another's."""

import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client
from django.utils import translation

from console import context_processors, counts, places
from console.access import Actor, system
from console.models import Organization, User
from devices.actions import ownership
from tests import databases, factories, ledger
from tests.api import Caller, customer_key, key_of

_flush = BaseDatabaseOperations.execute_sql_flush


def flush_history_too(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
    """Empty a test database: what triggers keep is deleted as well, and kept again from then on."""
    with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
        if self.connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            _flush(self, sql_list)
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%undeletable%'")
        kept = cursor.fetchall()
        for name, _sql in kept:
            cursor.execute(f'DROP TRIGGER "{name}"')
        _flush(self, sql_list)
        for _name, statement in kept:
            cursor.execute(statement)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment, django_db_blocker, django_db_createdb, django_db_modify_db_settings
) -> Iterator[None]:
    """In place of pytest-django's, which migrates in each process: a copy of what was migrated once."""
    with contextlib.ExitStack() as copy:
        with django_db_blocker.unblock():
            copy.enter_context(databases.copied(is_fresh=django_db_createdb))
        yield
        with django_db_blocker.unblock():
            copy.close()


@pytest.fixture(autouse=True, scope="session")
def history_can_be_flushed() -> Iterator[None]:
    """Only tests empty a database, so only they take the triggers away for it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_history_too)
    yield
    patch.undo()


@pytest.fixture
def organization(db) -> Organization:
    return factories.make_organization()


@pytest.fixture
def other_organization(db) -> Organization:
    return factories.make_organization("Southridge")


@pytest.fixture
def alice(organization) -> User:
    return factories.make_member(organization, "owner", "alice@northlake.example", "Alice Kemp")


@pytest.fixture
def bob(organization) -> User:
    return factories.make_member(organization, "support", "bob@northlake.example", "Bob Adeyemi")


@pytest.fixture
def charlie(other_organization) -> User:
    return factories.make_member(other_organization, "owner", "charlie@southridge.example", "Charlie Moss")


@pytest.fixture
def customer(organization):
    return factories.make_customer(organization)


@pytest.fixture
def other_customer(organization):
    return factories.make_customer(organization, "Hallberg Utilities")


@pytest.fixture
def dana(customer) -> User:
    return factories.make_person(customer, "dana@aalen.example")


@pytest.fixture
def erin(other_customer) -> User:
    return factories.make_person(other_customer, "erin@hallberg.example")


@pytest.fixture
def product(organization):
    return factories.make_product(organization)


@pytest.fixture
def device(product):
    return factories.make_device(product, "AQM26-100000")


@pytest.fixture
def foreign_device(other_organization):
    return factories.make_device(factories.make_product(other_organization, "Wind Gauge"), "WND-1")


@pytest.fixture
def make_devices(product) -> Callable:
    def make(number: int, product=product, **fields) -> list:
        return [factories.make_device(product, **fields) for _each in range(number)]

    return make


@pytest.fixture
def member(organization) -> Callable[[str], User]:
    return lambda role: factories.make_member(organization, role)


@pytest.fixture
def actor(member) -> Callable[..., Actor]:
    """The actor for a user, or for a new member of a role."""
    return lambda who: factories.actor_of(member(who) if isinstance(who, str) else who)


@pytest.fixture
def client_for(member) -> Callable[..., Client]:
    """A signed-in client for a user, or for a new member of a role."""

    def make(who) -> Client:
        client = Client()
        client.force_login(
            member(who) if isinstance(who, str) else who, "allauth.account.auth_backends.AuthenticationBackend"
        )
        return client

    return make


@pytest.fixture
def by(alice) -> Actor:
    """Alice, who does what a test needs done."""
    return factories.actor_of(alice)


@pytest.fixture
def by_bob(bob) -> Actor:
    return factories.actor_of(bob)


@pytest.fixture
def by_system(organization) -> Actor:
    """The organization's server itself."""
    return system(organization)


@pytest.fixture
def staff_client(client_for, alice) -> Client:
    """Alice's browser, signed in."""
    return client_for(alice)


@pytest.fixture
def api(alice) -> Caller:
    """A program with a key of the organization that may do everything."""
    return Caller(key_of(alice))


@pytest.fixture
def mine(dana, customer) -> Caller:
    """A program with a key of Dana's company."""
    return Caller(customer_key(dana, customer))


@pytest.fixture
def theirs(erin, other_customer) -> Caller:
    """A program with a key of Erin's company."""
    return Caller(customer_key(erin, other_customer))


@pytest.fixture
def owned(device, customer, by):
    """The device, which the customer owns."""
    ownership.assign([device.pk], customer=customer, by=by)
    device.refresh_from_db()
    return device


@pytest.fixture
def owned_devices(make_devices, customer, by) -> list:
    """Three devices that the customer owns."""
    devices = make_devices(3)
    ownership.assign([device.pk for device in devices], customer=customer, by=by, note="Order 4711")
    return devices


@pytest.fixture
def data_folder(settings, tmp_path) -> Path:
    """The server's files lie in a folder of the test's own."""
    settings.DATA_DIR = tmp_path
    return tmp_path


# Where SQLite and PostgreSQL go ways of their own: locks and races, triggers and constraints, statements written by
# hand, the order and the case of texts, what a column takes.
DIFFERENCES = (
    "claims/redemption/test_redeem.py",
    "claims/test_ledger_check.py",
    "console/audit/",
    "console/server/test_health.py",
    "console/test_checks.py",
    "console/test_counts.py",
    "console/test_finding.py",
    "console/test_hostile_addresses.py",
    "console/test_moments.py",
    "console/test_operations.py",
    "console/test_search.py",
    "console/test_throttle.py",
    "console/test_upkeep.py",
    "console/test_words.py",
    "console/webhooks/",
    "customers/directory/test_customers.py",
    "customers/projects/test_projects.py",
    "devices/edited_exports/test_roundtrip.py",
    "devices/manifest/test_manifest_apply.py",
    "devices/messages/",
    "devices/test_",
    "rest/test_changes.py",
    "rest/test_feeds.py",
    "rest/test_filters.py",
    "test_databases.py",
    "test_fuzz.py",
)


def pytest_collection_finish() -> None:
    """Keep what was imported and collected out of later rounds of the garbage collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On the second database, run only what CUSTODY_TESTS names.

    `database` is whatever uses one, `differences` what may end otherwise than on the first.
    """
    is_wanted = {"database": _uses_database, "differences": _may_differ}.get(os.environ.get("CUSTODY_TESTS", ""))
    if is_wanted is None:
        return
    config.hook.pytest_deselected(items=[item for item in items if not is_wanted(item)])
    items[:] = [item for item in items if is_wanted(item)]


def _uses_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures) or item.get_closest_marker("django_db") is not None


def _may_differ(item: pytest.Item) -> bool:
    if not _uses_database(item):
        return False
    marker = item.get_closest_marker("django_db")
    commits = "transactional_db" in item.fixturenames or (marker is not None and marker.kwargs.get("transaction"))
    path = str(item.path.relative_to(Path(__file__).parent))
    return bool(commits) or item.get_closest_marker("races") is not None or path.startswith(DIFFERENCES)


@pytest.fixture(autouse=True)
def english() -> None:
    """A page in German leaves German switched on in this thread, for whatever test comes next."""
    translation.activate("en")


@pytest.fixture(autouse=True)
def files_that_nobody_reads_hold_no_place(request, monkeypatch) -> None:
    """A test that does not read a file to its end would keep its place until the answer is collected as garbage."""
    if "test_export_places" not in request.node.nodeid:
        monkeypatch.setattr(places, "occupy", lambda answer, who, is_heavy: answer)


@pytest.fixture(autouse=True)
def counted_anew() -> None:
    """What is remembered of one test's database is not true of the next one's."""
    counts.forget()
    context_processors.forget()


@pytest.fixture(autouse=True)
def ledger_is_true(request) -> Iterator[None]:
    """After every test with a database, the denormalised columns are compared with the truth."""
    uses_database = _uses_database(request.node)
    if uses_database and "transactional_db" not in request.fixturenames:
        # Asked for first, so that it is still there when this fixture looks.
        request.getfixturevalue("db")
    yield
    if uses_database:
        assert ledger.problems() == []
