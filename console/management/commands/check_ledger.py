from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console import ledger_check


class Command(BaseCommand):
    help = "Compares derived values (current owners, counters) with the ledger and prints every difference."

    def handle(self, *args: Any, **options: Any) -> None:
        problems = ledger_check.problems()
        for problem in problems:
            self.stdout.write(problem)
        if problems:
            raise CommandError(f"The ledger and its derived values differ in {len(problems)} places.")
        self.stdout.write("The ledger and its derived values agree.")
