"""Operations take turns: by organization and, within one, by person. And queues do not wait for each other."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console import operations, worker
from console.access import Permission, system
from console.models import Operation, OutgoingMail
from console.models.operation import OperationState
from console.tasks import deliver_mail
from tests import factories
from tests.console.test_operations import in_background
from tests.waiting import PATIENCE, until

MANY = 40


@operations.handler("test_turns.do_nothing")
def do_nothing(operation, by):
    operation.sentence = "Nothing was to do."


@operations.handler("test_turns.wait_for_mail")
def wait_for_mail(operation, by):
    """Until a mail has left, which is the business of another queue."""
    until(lambda: OutgoingMail.objects.exclude(sent_at=None).exists())


def start(by, handler="do_nothing"):
    return operations.start(
        f"test_turns.{handler}", "Nothing", by=by, total=1, payload={}, permission=Permission.DEVICE_ASSIGN
    )


def taken(number, serving=None):
    """Whose operations a worker takes, one after the other, each over before the next is taken."""
    serving, found = serving or worker.QueueWorker(["operations"]), []
    for _each in range(number):
        task = serving.take()
        operation = Operation.objects.get(pk=task.args_kwargs["args"][0])
        found.append(operation.by_label)
        Operation.objects.filter(pk=operation.pk).update(state=OperationState.DONE)
    return found


@pytest.fixture
def crowd(organization, other_organization, alice, bob, charlie):
    """Alice has many that wait, Bob two; Charlie, of another organization, came last with two."""
    bob.memberships.update(role="owner")
    people = {name: factories.actor_of(user) for name, user in (("A", alice), ("B", bob), ("C", charlie))}
    for name, number in (("A", MANY), ("B", 2), ("C", 2)):
        for _each in range(number):
            start(people[name])
    return {str(person.label): name for name, person in people.items()}


@pytest.mark.django_db
def test_organizations_take_turns_and_so_do_the_people_of_one(crowd):
    assert "".join(crowd[label] for label in taken(8)) == "ACBCABAA"


@pytest.mark.django_db
def test_without_turns_the_last_one_waits_for_all_others(crowd, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(worker.QueueWorker, "in_turn", lambda self, waiting: list(waiting[:20]))
    assert {crowd[label] for label in taken(MANY)} == {"A"}


@pytest.mark.django_db
def test_the_one_with_the_fewest_running_operations_goes_first(crowd, organization):
    Operation.objects.filter(pk=start(system(organization)).pk).update(state=OperationState.RUNNING)
    assert "".join(crowd[label] for label in taken(3)) == "CCA"


@pytest.mark.django_db
def test_one_that_is_put_off_does_not_hold_up_the_next(crowd):
    first = Operation.objects.earliest("pk")
    task = DBTaskResult.objects.get(args_kwargs__args__0=first.pk)
    DBTaskResult.objects.filter(pk=task.pk).update(run_after=timezone.now() + timedelta(minutes=1))
    assert "".join(crowd[label] for label in taken(2)) == "BC"


@pytest.mark.django_db
def test_all_of_them_are_run_in_the_end(crowd):
    worker.QueueWorker(["operations"], batch=True).run()
    assert not Operation.objects.exclude(state=OperationState.DONE).exists()


@pytest.mark.django_db(transaction=True)
def test_a_long_operation_holds_up_no_mail(organization, settings, tmp_path):
    """Each queue has a thread: the operation ends when the mail has left, and not before."""
    settings.MAIL_DIR = tmp_path
    operation = start(system(organization), "wait_for_mail")
    process = in_background(["*"])
    try:
        until(lambda: Operation.objects.filter(pk=operation.pk, state=OperationState.RUNNING).exists())
        row = OutgoingMail.objects.create(recipient="dana@aalen.example", message=b"Subject: Hello")
        deliver_mail.enqueue(row.pk)
        until(lambda: Operation.objects.filter(pk=operation.pk, state=OperationState.DONE).exists())
    finally:
        process.terminate()
        process.join(PATIENCE)
    assert process.exitcode == 0
