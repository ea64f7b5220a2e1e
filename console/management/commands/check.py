from typing import Any

from django.core.management.commands import check

from console.slot_checks import declared
from console.slots import path


class Command(check.Command):
    help = f"{check.Command.help} With --verbosity 2, it also lists which functions of which apps are in each slot."

    def handle(self, *app_labels: Any, **options: Any) -> None:
        if options["verbosity"] > 1:
            for name, slot in declared().items():
                self.stdout.write(name)
                for function in slot:
                    self.stdout.write(f"    {path(function)}")
        super().handle(*app_labels, **options)
