"""System checks of the handlers of operations, run by `manage.py check`."""

import re
from typing import Any

from django.core.checks import CheckMessage, Error, register

from console.operations.handlers import registered
from console.undo import DECLARED

NAME = r"[a-z_]+\.[a-z_]+"
LONGEST = 120


@register()
def handlers_are_whole(**kwargs: Any) -> list[CheckMessage]:
    """Check that the name of each handler fits, because rows keep it for good, and that its undo is declared."""
    return [
        Error(f"The operation handler {name} {fault}.", hint=hint, id="custody.E040")
        for name, handler in registered().items()
        for fault, hint in _faults(name, handler.undo)
    ]


def _faults(name: str, undo: str) -> list[tuple[str, str]]:
    faults = []
    if not re.fullmatch(NAME, name) or len(name) > LONGEST:
        faults.append(("has a name that can't be stored", 'Name it with a noun and a verb, such as "device.assign".'))
    if undo and undo not in DECLARED:
        faults.append((f"is undone by {undo}, which is not declared", "Declare a console.undo.Undo with this route."))
    return faults
