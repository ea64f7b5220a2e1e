from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string


class Command(BaseCommand):
    help = "Compares what is kept twice (current owners, counters) with the ledger, and prints every difference."

    def handle(self, *args: Any, **options: Any) -> None:
        problems = [problem for path in settings.LEDGER_CHECKS for problem in import_string(path)()]
        for problem in problems:
            self.stdout.write(str(problem))
        if problems:
            raise CommandError(f"The ledger and its copies differ in {len(problems)} places.")
        self.stdout.write("The ledger and its copies agree.")
