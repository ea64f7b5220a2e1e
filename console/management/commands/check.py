from typing import Any

from django.core.management.commands import check

from console.operations import registered
from console.slot_checks import declared
from console.slots import path


class Command(check.Command):
    help = f"{check.Command.help} With --verbosity 2, it also lists what apps put in each slot, and handlers."

    def handle(self, *app_labels: Any, **options: Any) -> None:
        if options["verbosity"] > 1:
            for name, slot in declared().items():
                self.stdout.write(name)
                for function in slot:
                    self.stdout.write(f"    {path(function)}")
            self.stdout.write("handlers of operations")
            for handler in sorted(registered().values(), key=str):
                self.stdout.write(f"    {handler}: {path(handler.run)}")
        super().handle(*app_labels, **options)
