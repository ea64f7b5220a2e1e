"""manage.py worker"""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_tasks import task_backends
from django_tasks_db import DatabaseBackend

from console import worker


class Command(BaseCommand):
    help = "Runs background work: email and long operations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        queues = [*settings.TASKS["default"]["QUEUES"], "*"]
        parser.add_argument("--queue", choices=queues, default="*", help="Queue to serve; * serves all of them.")
        parser.add_argument("--interval", type=float, default=worker.INTERVAL, help="Seconds between two polls.")
        parser.add_argument("--batch", action="store_true", help="Process the waiting tasks, then exit.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not isinstance(task_backends["default"], DatabaseBackend):
            raise CommandError("CUSTODY_TASKS names a backend other than the database; start that backend's worker.")
        worker.run([options["queue"]], interval=options["interval"], batch=options["batch"])
