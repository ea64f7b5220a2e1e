"""Operations name their handler: a file may move, and what is queued still runs."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils.translation import ngettext_lazy

from console import operations
from console.access import Permission, system
from console.models import Operation
from console.models.operation import OperationState
from console.operations import handlers
from console.operations.checks import handlers_are_whole
from devices.models import Ownership
from tests import factories

ROOT = Path(__file__).resolve().parent.parent.parent
MIGRATION = importlib.import_module("console.migrations.0023_handlers_by_name")
JOINED = importlib.import_module("console.migrations.0024_one_handler_for_each_action")
OLD_PATHS = [path for paths in MIGRATION.HANDLERS.values() for path in paths]


@pytest.fixture
def names(monkeypatch):
    """The registry, to which a test may add."""
    monkeypatch.setattr(handlers, "_registered", operations.registered())
    return handlers._registered


def count(operation, by):
    operations.in_chunks(operation, lambda ids: operations.Outcome(done=ids))
    operation.sentence = operations.sentence_of(operation)


COUNTED = ngettext_lazy("%(n)d row counted.", "%(n)d rows counted.", "n")
TERMS = {"title": ngettext_lazy("Count %(n)d row", "Count %(n)d rows", "n"), "permission": Permission.VIEW}


@pytest.fixture
def counting(names):
    return operations.handler("test.count", done=COUNTED, undo="devices:device_assign_undo", **TERMS)(count)


def operation_of(organization, handler):
    return Operation.objects.create(
        organization=organization, handler=handler, title="Assign", permission="device.assign", by_label="Alice"
    )


def test_an_app_that_is_ready_has_registered_every_handler_that_its_code_declares():
    """In a process that has read no URLs and no test, as a worker is."""
    script = "import django; django.setup(); from console import operations; print(*operations.registered())"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, env=_environment()
    )
    declared = {name for path in _sources() for name in re.findall(r'operations\.handler\(\s*"([\w.]+)"', path)}
    importers = {f"{name}.{what}" for name in ("customer_import", "manifest") for what in ("check", "apply")}
    assert len(declared) >= 12
    assert set(answer.stdout.split()) == declared | importers | {"edited_export.check"}


def _environment():
    return os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}


def _sources():
    return [path.read_text() for app in ("claims", "devices", "customers") for path in (ROOT / app).rglob("*.py")]


@pytest.mark.django_db
@pytest.mark.parametrize("path", OLD_PATHS)
def test_operations_queued_by_path_run_by_name(organization, path):
    operation = operation_of(organization, path)
    MIGRATION.name_handlers(apps, None)
    JOINED.join_handlers(apps, None)
    operation.refresh_from_db()
    assert operation.handler in operations.registered()


@pytest.mark.django_db
def test_names_are_written_for_what_has_one_and_taken_back(organization):
    moved = [operation_of(organization, path) for path in OLD_PATHS]
    other = operation_of(organization, "none")
    MIGRATION.name_handlers(apps, None)
    MIGRATION.place_handlers(apps, None)
    now = [Operation.objects.get(pk=operation.pk).handler for operation in moved]
    assert now == [paths[0] for paths in MIGRATION.HANDLERS.values() for _path in paths]
    other.refresh_from_db()
    assert other.handler == "none"


@pytest.mark.django_db
def test_a_batch_that_the_former_version_queued_is_done_as_a_batch(organization, device, customer, alice):
    payload = {"named_by": "id", "names": [str(device.pk), "4711"], "ids": [device.pk, 0], "is_dry": False}
    batch = operations.start(
        "device.assign_named",
        "Assign 2 devices",
        by=factories.actor_of(alice),
        permission=Permission.DEVICE_ASSIGN,
        total=2,
        payload={**payload, "customer": customer.pk, "note": "PO 7"},
    )
    JOINED.join_handlers(apps, None)
    operations.run(batch.pk)
    batch.refresh_from_db()
    assert (batch.handler, batch.sentence) == ("device.assign", "1 device assigned.")
    assert list(batch.rows.values_list("position", "label", "code")) == [(2, "4711", "not_found")]
    assert Ownership.objects.get().start_reason == "api"


@pytest.mark.django_db
def test_only_batches_get_the_name_of_their_former_handler_back(organization):
    batches = [operation_of(organization, former) for former in JOINED.HANDLERS]
    pages = [operation_of(organization, name) for name in JOINED.HANDLERS.values()]
    Operation.objects.filter(pk__in=[row.pk for row in batches]).update(payload={"names": ["AQM26-1"], "ids": [1]})
    JOINED.join_handlers(apps, None)
    now = Operation.objects.in_bulk()
    assert [now[row.pk].handler for row in batches] == list(JOINED.HANDLERS.values())
    JOINED.part_handlers(apps, None)
    now = Operation.objects.in_bulk()
    assert [now[row.pk].handler for row in batches] == list(JOINED.HANDLERS)
    assert [now[row.pk].handler for row in pages] == list(JOINED.HANDLERS.values())


@pytest.mark.django_db
def test_an_operation_that_this_version_does_not_know_ends_with_a_sentence(organization):
    operation = operation_of(organization, "devices.actions.gone.run_assign")
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.sentence) == (
        OperationState.FAILED,
        "This version no longer knows this kind of work. Start it again.",
    )


def test_two_handlers_of_one_name_are_refused(counting):
    with pytest.raises(ValueError, match=r"Two operation handlers are named test\.count\."):
        operations.handler("test.count")(count)


def test_a_check_refuses_an_undo_that_is_not_declared_and_a_name_without_a_noun(names):
    assert handlers_are_whole() == []
    operations.handler("test.count", undo="devices:no_such_undo")(count)
    operations.handler("count")(count)
    found = [(message.id, message.msg) for message in handlers_are_whole()]
    assert found == [
        (
            "custody.E040",
            "The operation handler test.count is undone by devices:no_such_undo, which is not declared.",
        ),
        ("custody.E040", "The operation handler count has a name that can't be stored."),
    ]


def test_check_lists_each_handler_with_the_function_that_it_runs(capsys):
    call_command("check", verbosity=2)
    lines = capsys.readouterr().out.splitlines()
    assert "    device.assign: devices.actions.ownership.run_assign" in lines[lines.index("handlers of operations") :]


@pytest.mark.django_db
def test_a_few_rows_are_done_at_once_and_more_by_the_worker(organization, counting, monkeypatch):
    monkeypatch.setattr("console.operations.beginning.IN_REQUEST", 2)
    few = operations.begin(counting, [1, 2], by=system(organization))
    many = operations.begin(counting, [1, 2, 3], by=system(organization), color="red")
    assert (few.title, few.state, few.sentence) == ("Count 2 rows", OperationState.DONE, "2 rows counted.")
    assert (many.title, many.state, many.payload) == (
        "Count 3 rows",
        OperationState.WAITING,
        {"ids": [1, 2, 3], "color": "red"},
    )
    assert (few.permission, few.undo_route, few.total) == ("view", "devices:device_assign_undo", 2)
    operations.run(many.pk)
    many.refresh_from_db()
    assert (many.state, many.succeeded, many.sentence) == (OperationState.DONE, 3, "3 rows counted.")


@pytest.mark.django_db
def test_a_caller_may_decide_for_the_worker_and_hears_of_it_in_the_transaction(organization, counting):
    heard = []
    terms = {"by": system(organization), "handed_over": lambda operation: heard.append(operation.state)}
    operations.begin(counting, [1], **terms)
    assert heard == []
    operations.begin(counting, [1], in_background=True, **terms)
    assert heard == [OperationState.WAITING]


@pytest.mark.django_db
def test_a_trial_says_so_and_has_no_undo(organization, counting):
    trial = operations.begin(counting, [1], by=system(organization), is_dry=True)
    assert (trial.title, trial.undo_route) == ("Dry run: Count 1 row", "")
    assert trial.sentence == "1 row counted. This was a dry run: nothing was changed."
