"""The worker: runs the tasks of a queue one after the other, sends heartbeats, and does the upkeep.

Each queue has a thread of its own: nothing that one of them does holds up the others.
"""

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from console import liveness, operations, upkeep
from console.tasks import run_operation
from console.transactions import drop_broken_connection
from console.turns import Turns
from console.webhooks import delivery

log = logging.getLogger("custody.worker")
INTERVAL = 0.3
LOOKED_AT = 20
OPERATION = run_operation.module_path
PAUSE_WITHOUT_DATABASE = 1.0
BEAT, GO_ON_EVERY, TIDY_EVERY = 10.0, 3, 60


class QueueWorker(Worker):
    """django-tasks-db's worker, except that it takes a task by one UPDATE and survives a database outage.

    The original opens an exclusive transaction every time it looks for a task, which on SQLite contends with every
    write.
    """

    def __init__(self, queues: list[str], *, interval: float = INTERVAL, batch: bool = False) -> None:
        super().__init__(
            queue_names=queues,
            interval=interval,
            batch=batch,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=liveness.worker_name(),
            excluded_queue_names=[],
        )
        self.unfinished: DBTaskResult[Any, Any] | None = None
        self.turns = Turns()

    def run(self) -> None:
        """Work until stopped or, with `batch`, until nothing is left."""
        while self.running:
            try:
                worked = self.step()
            except (DatabaseError, InterfaceError) as error:
                if self.batch:
                    raise
                log.warning("the database does not answer, trying again: %s", str(error).strip())
                connection.close()
                time.sleep(PAUSE_WITHOUT_DATABASE)
                continue
            if self.batch and not worked:
                return
            if self.running and not worked:
                time.sleep(self.interval)

    def step(self) -> bool:
        """Run one task. Returns False if there was none."""
        drop_broken_connection()
        self.hand_back()
        task = self.take()
        if task is None:
            return False
        self.unfinished = task
        self.run_task(task)
        self.unfinished = None
        return True

    def take(self) -> "DBTaskResult[Any, Any] | None":
        """Mark the first waiting task as this worker's; of operations, the one whose turn it is.

        If another worker gets it first, take another.
        """
        waiting = DBTaskResult.objects.ready().filter(backend_name=self.backend_name)
        if not self.process_all_queues:
            waiting = waiting.filter(queue_name__in=self.queue_names)
        for task in self.in_turn(waiting):
            values = {
                "status": "RUNNING",
                "started_at": timezone.now(),
                "worker_ids": [*task.worker_ids, self.worker_id],
            }
            if DBTaskResult.objects.filter(pk=task.pk, status="READY").update(**values):
                task.__dict__.update(values)
                if task.task_path == OPERATION:
                    self.turns.took(task.args_kwargs["args"][0])
                return task
        return None

    def in_turn(self, waiting: QuerySet[Any]) -> list["DBTaskResult[Any, Any]"]:
        """Return the tasks that may be next. If the next one is an operation, those whose turn it is come first."""
        tasks = list(waiting[:LOOKED_AT])
        if not tasks or tasks[0].task_path != OPERATION:
            return tasks
        place = {operation: number for number, operation in enumerate(self.turns.order()[:LOOKED_AT])}
        theirs = waiting.filter(task_path=OPERATION, args_kwargs__args__0__in=list(place))
        return [*sorted(theirs, key=lambda task: place[task.args_kwargs["args"][0]]), *tasks]

    def hand_back(self) -> None:
        """Return a task to the queue whose end could not be recorded because of a database outage."""
        if self.unfinished is not None:
            DBTaskResult.objects.filter(pk=self.unfinished.pk, status="RUNNING").update(status="READY")
            self.unfinished = None

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """First signal: finish the current task or, if it is an operation, its chunk. Second: exit at once."""
        if not self.running:
            self.reset_signals()
            sys.exit(1)
        self.running = False
        operations.stop_soon()
        delivery.stop_soon()
        if not self.running_task:
            sys.exit(0)


class Beside(threading.Thread):
    """Serves a queue beside the worker that receives the signals, on a connection of its own."""

    def __init__(self, queue: str, *, interval: float) -> None:
        super().__init__(name=queue)
        self.worker = QueueWorker([queue], interval=interval)

    def run(self) -> None:
        try:
            self.worker.run()
        except Exception:
            log.exception("the queue %s is no longer served, so this worker exits", self.name)
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop after the current task."""
        self.worker.running = False
        self.join()


class Companion(threading.Thread):
    """Sends heartbeats and does the upkeep beside the worker, on a connection of its own."""

    def __init__(self, queues: str) -> None:
        super().__init__(name="companion", daemon=True)
        self.queues = queues
        self.over = threading.Event()

    def run(self) -> None:
        for turn in iter(range(sys.maxsize)):
            self.beat()
            if turn % GO_ON_EVERY == 0:
                upkeep.go_on()
            if turn % TIDY_EVERY == 0:
                upkeep.tidy()
            drop_broken_connection()
            if self.over.wait(BEAT):
                break
        connection.close()

    def beat(self) -> None:
        """Write the heartbeat. If the database is locked or away, the next one is written later."""
        try:
            liveness.beat(self.queues)
        except (DatabaseError, InterfaceError):
            connection.close()

    def stop(self) -> None:
        """Stop, and delete the heartbeat."""
        self.over.set()
        self.join(2)
        try:
            liveness.leave()
        except (DatabaseError, InterfaceError):
            log.warning("the heartbeat of %s stays behind", liveness.worker_name())


def run(queues: list[str], *, interval: float = INTERVAL, batch: bool = False) -> None:
    """Serve the queues, `*` for all, until a signal arrives or, with `batch`, until they are empty."""
    companion = Companion(",".join(queues))
    served = list(settings.TASKS["default"]["QUEUES"]) if "*" in queues else queues
    # In a batch one task may queue another in any queue, so one thread serves them all.
    first, *others = [queues] if batch else [[queue] for queue in served]
    for queue in () if batch else served:
        liveness.serve_alone(queue)
    worker = QueueWorker(first, interval=interval, batch=batch)
    beside = [Beside(queue, interval=interval) for (queue,) in others]
    worker.configure_signals()
    helping: list[Companion | Beside] = [*beside, companion]
    for thread in helping:
        thread.start()
    try:
        worker.run()
    finally:
        for thread in helping:
            thread.stop()
