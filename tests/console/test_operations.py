"""Operations survive workers that die, stop, or lose the database; each chunk is done once."""

import multiprocessing
import os
import signal
from datetime import timedelta

import pytest
from django.db import OperationalError, connections, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console import liveness, operations, upkeep, worker
from console.access import Permission, system
from console.errors import Refused
from console.models import Operation, Throttle, WorkerHeartbeat
from console.models.operation import OperationState
from console.operations import running
from console.throttle import NEVER
from tests.waiting import PATIENCE, until

STEPS = 4
DEAD = "elsewhere/1:1:1"


@operations.handler("test_operations.do_steps")
def do_steps(operation, by):
    """A handler of four chunks; each leaves a row. The payload says where it waits to be interrupted."""
    while operation.cursor < STEPS:
        with transaction.atomic():
            Throttle.objects.create(key=f"step {operation.cursor}", window=NEVER)
            wait_if(operation, "within")
            operations.advance(operation, cursor=operation.cursor + 1, succeeded=1)
        wait_if(operation, "between")
    operation.sentence = "All steps are done."


def wait_if(operation, where):
    """Wait at the second step of the first attempt until the other end of the pipe is opened and closed."""
    reached = 1 if where == "within" else 2
    if operation.payload.get(where) and operation.cursor == reached and operation.attempt == 1:
        with open(operation.payload[where]) as pipe:
            pipe.read()


@operations.handler("test_operations.refuse")
def refuse(operation, by):
    raise Refused("no", "This is not possible. Try another one.")


@operations.handler("test_operations.be_busy")
def be_busy(operation, by):
    raise Refused("busy", "Somebody else changed this.")


@operations.handler("test_operations.lose_database")
def lose_database(operation, by):
    if operation.attempt == 1:
        raise OperationalError("server closed the connection unexpectedly")
    do_steps(operation, by)


@operations.handler("test_operations.fail")
def fail(operation, by):
    raise RuntimeError("a bug")


def start(organization, handler="do_steps", **payload):
    return operations.start(
        f"test_operations.{handler}",
        "Four steps",
        by=system(organization),
        total=STEPS,
        permission=Permission.DEVICE_ASSIGN,
        payload=payload,
    )


def work():
    """Do what is queued, in this process, without waiting for what is put off."""
    DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now() - timedelta(seconds=1))
    worker.QueueWorker(["operations"], batch=True).run()


def in_background(queues=("operations",)):
    """A worker in a process of its own, at the same database."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=worker.run, args=(list(queues),))
    process.start()
    return process


def has(operation, **facts):
    return Operation.objects.filter(pk=operation.pk, **facts).exists()


def steps_done():
    return sorted(Throttle.objects.filter(key__startswith="step").values_list("key", flat=True))


def assert_done_once(operation, attempt):
    operation.refresh_from_db()
    assert (operation.state, operation.sentence) == (OperationState.DONE, "All steps are done.")
    assert (operation.succeeded, operation.refused, operation.attempt) == (STEPS, 0, attempt)
    assert steps_done() == [f"step {n}" for n in range(STEPS)]


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return str(path)


def test_an_operation_runs_to_its_end(organization):
    operation = start(organization)
    assert has(operation, state=OperationState.WAITING)
    work()
    assert_done_once(operation, attempt=1)


def test_an_operation_begins_only_if_the_transaction_that_starts_it_commits(organization):
    with pytest.raises(RuntimeError), transaction.atomic():
        start(organization)
        raise RuntimeError
    work()
    assert not Operation.objects.exists()
    assert not DBTaskResult.objects.exists()
    assert steps_done() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["within", "between"])
def test_a_worker_killed_in_the_middle_leaves_whole_chunks_and_another_goes_on(organization, pipe, where):
    operation = start(organization, **{where: pipe})
    process = in_background()
    whole = 1 if where == "within" else 2
    until(lambda: has(operation, cursor=whole, state=OperationState.RUNNING))
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert steps_done() == [f"step {n}" for n in range(whole)]
    upkeep.go_on()
    work()
    assert_done_once(operation, attempt=2)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_asked_to_stop_ends_after_its_chunk_and_hands_the_rest_back(organization, pipe):
    operation = start(organization, within=pipe)
    process = in_background()
    until(lambda: has(operation, cursor=1))
    os.kill(process.pid, signal.SIGTERM)
    with open(pipe, "w"):
        pass
    process.join(PATIENCE)
    assert process.exitcode == 0
    assert has(operation, state=OperationState.WAITING, cursor=2, attempt=0, worker="")
    assert not WorkerHeartbeat.objects.exists()
    work()
    assert_done_once(operation, attempt=1)


@pytest.mark.django_db(transaction=True)
def test_a_starting_worker_takes_over_the_work_of_a_dead_one(organization):
    operation = start(organization)
    DBTaskResult.objects.update(status="RUNNING", worker_ids=[DEAD], started_at=timezone.now())
    Operation.objects.update(state=OperationState.RUNNING, attempt=1, worker=DEAD)
    process = in_background()
    until(lambda: has(operation, state=OperationState.DONE))
    until(WorkerHeartbeat.objects.exists)
    os.kill(process.pid, signal.SIGTERM)
    process.join(PATIENCE)
    assert_done_once(operation, attempt=2)


def test_the_work_of_a_living_worker_is_left_to_it(organization):
    operation = start(organization)
    Operation.objects.update(state=OperationState.RUNNING, attempt=1, worker=DEAD)
    DBTaskResult.objects.update(status="RUNNING", worker_ids=[DEAD], started_at=timezone.now())
    WorkerHeartbeat.objects.create(worker=DEAD, queues="operations", at=timezone.now())
    upkeep.go_on()
    work()
    assert has(operation, state=OperationState.RUNNING, attempt=1, worker=DEAD)
    assert steps_done() == []


def test_a_silent_worker_counts_as_dead(organization):
    operation = start(organization)
    Operation.objects.update(state=OperationState.RUNNING, attempt=1, worker=DEAD)
    WorkerHeartbeat.objects.create(worker=DEAD, queues="operations", at=timezone.now() - timedelta(seconds=61))
    assert operations.recover() == 1
    work()
    assert_done_once(operation, attempt=2)


def test_a_worker_that_was_given_up_keeps_nothing_of_its_chunk(organization):
    operation = start(organization)
    mine = running._take(operation.pk)
    Operation.objects.update(attempt=2)
    with pytest.raises(operations.Superseded), transaction.atomic():
        Throttle.objects.create(key="step 0", window=NEVER)
        operations.advance(mine, cursor=1, succeeded=1)
    assert steps_done() == []
    assert has(operation, cursor=0, succeeded=0)


def test_an_operation_whose_task_is_gone_is_queued_again(organization):
    operation = start(organization)
    assert operations.recover() == 0
    DBTaskResult.objects.all().delete()
    assert operations.recover() == 1
    assert operations.recover() == 0
    work()
    assert_done_once(operation, attempt=1)


def test_an_operation_that_this_process_lost_is_queued_again(organization):
    operation = start(organization)
    DBTaskResult.objects.update(status="FAILED")
    Operation.objects.update(state=OperationState.RUNNING, attempt=1, worker=liveness.worker_name())
    assert operations.recover() == 1
    work()
    assert_done_once(operation, attempt=2)


def test_an_operation_that_kills_three_workers_says_so_and_is_given_up(organization):
    operation = start(organization)
    Operation.objects.update(state=OperationState.RUNNING, attempt=3, worker=DEAD)
    operations.recover()
    work()
    assert has(operation, state=OperationState.FAILED, sentence="It was interrupted three times and won't be retried.")
    assert steps_done() == []


def test_a_task_that_kills_three_workers_is_not_tried_again(organization):
    start(organization)
    DBTaskResult.objects.update(status="RUNNING", worker_ids=[DEAD] * 2)
    assert upkeep.release_tasks() == 1
    assert DBTaskResult.objects.get().status == "READY"
    DBTaskResult.objects.update(status="RUNNING", worker_ids=[DEAD] * 3)
    assert upkeep.release_tasks() == 1
    assert DBTaskResult.objects.get().status == "FAILED"


def test_a_lost_database_interrupts_and_does_not_fail(organization):
    operation = start(organization, "lose_database")
    worker.QueueWorker(["operations"], batch=True).run()
    assert has(operation, state=OperationState.WAITING, attempt=1)
    assert steps_done() == []
    work()
    assert_done_once(operation, attempt=2)


def test_an_operation_that_clashes_every_time_is_given_up(organization):
    operation = start(organization, "be_busy")
    for _attempt in range(4):
        work()
    assert has(operation, state=OperationState.FAILED, sentence="It was interrupted three times and won't be retried.")


def test_a_refusal_is_what_the_operation_says(organization):
    operation = start(organization, "refuse")
    work()
    assert has(operation, state=OperationState.FAILED, sentence="This is not possible. Try another one.")


def test_a_bug_ends_the_operation_with_a_sentence(organization):
    operation = start(organization, "fail")
    work()
    operation.refresh_from_db()
    assert operation.state == OperationState.FAILED
    assert operation.sentence == "It stopped because of an unexpected error. Nothing was changed after that."


def test_an_operation_of_a_person_who_lost_the_permission_does_nothing(organization, actor):
    by = actor("fulfilment")
    operation = operations.start(
        "test_operations.do_steps", "Four steps", by=by, total=STEPS, payload={}, permission=Permission.DEVICE_ASSIGN
    )
    by.user.memberships.update(role="viewer")
    work()
    assert has(
        operation, state=OperationState.FAILED, sentence="The person who started this is no longer allowed to do it."
    )
    assert steps_done() == []


def test_two_workers_never_take_the_same_task(organization):
    start(organization)
    first, second = worker.QueueWorker(["operations"]), worker.QueueWorker(["operations"])
    assert first.take() is not None
    assert second.take() is None


def test_a_worker_takes_only_what_is_due_in_its_queue(organization):
    start(organization)
    assert worker.QueueWorker(["mail"]).take() is None
    DBTaskResult.objects.update(run_after=timezone.now() + timedelta(seconds=30))
    assert worker.QueueWorker(["*"]).take() is None
    DBTaskResult.objects.update(run_after=timezone.now() - timedelta(seconds=30))
    assert worker.QueueWorker(["*"]).take() is not None


def test_a_process_lives_as_long_as_it_runs_however_silent_it_is():
    process = multiprocessing.get_context("fork").Process(target=signal.pause)
    process.start()
    machine, _pid, _began = liveness.worker_name().split(":")
    name = f"{machine}:{process.pid}:{liveness.began(str(process.pid))}"
    assert liveness.lives(name, set())
    assert not liveness.lives(f"{machine}:{process.pid}:1", {name})
    process.kill()
    until(lambda: not liveness.lives(name, {name}))
    process.join()
    assert not liveness.lives(name, {name})


def perform(organization, handler="do_steps", **plan):
    return operations.perform(
        f"test_operations.{handler}",
        "Four steps",
        by=system(organization),
        total=STEPS,
        payload={},
        permission=Permission.DEVICE_ASSIGN,
        **plan,
    )


def test_what_is_performed_is_over_at_once_and_no_worker_hears_of_it(organization):
    operation = perform(organization)
    assert (operation.state, operation.succeeded, operation.cursor, operation.sentence) == (
        OperationState.DONE,
        STEPS,
        STEPS,
        "All steps are done.",
    )
    assert operation.created_at <= operation.started_at <= operation.finished_at
    assert steps_done() == [f"step {n}" for n in range(STEPS)]
    assert not DBTaskResult.objects.exists()
    assert operations.recover() == 0


@pytest.mark.parametrize(("handler", "error"), [("refuse", Refused), ("fail", RuntimeError)])
def test_what_is_performed_and_fails_leaves_nothing_behind(organization, handler, error):
    with pytest.raises(error):
        perform(organization, handler)
    assert not Operation.objects.exists()


@operations.handler("test_operations.perform_and_die")
def perform_and_die(operation, by):
    operations.advance(operation, cursor=1, succeeded=1)
    Throttle.objects.create(key="step 0", window=NEVER)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_while_it_performs_leaves_nothing_to_recover(organization):
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=perform, args=(organization, "perform_and_die"))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    assert (Operation.objects.count(), steps_done(), operations.recover()) == (0, [], 0)
