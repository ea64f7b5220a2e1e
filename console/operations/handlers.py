"""The handlers of operations, by name.

A row holds the name of its handler, never the place of a function: so files can move, and queued operations still run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from console.access import Actor, Permission
from console.errors import Refused
from console.models import Operation

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

Run = Callable[[Operation, Actor], None]
_registered: dict[str, "Handler"] = {}


@dataclass(frozen=True)
class Handler:
    """The function that does an operation, and the properties that all operations of its kind share.

    `title` and `done` are `ngettext_lazy(…, "n")`, or a lazy text without a plural: the name of the operation, and its
    sentence when it is finished. `undo` is the URL name of the page that undoes it.
    """

    name: str
    run: Run
    title: "_StrOrPromise" = ""
    done: "_StrOrPromise" = ""
    permission: Permission | None = None
    undo: str = ""

    def __call__(self, operation: Operation, by: Actor) -> None:
        """Run the operation."""
        self.run(operation, by)

    def titled(self, **words: Any) -> str:
        """Return the title of an operation; `n` among the words chooses the plural."""
        return str(self.title % words)

    def __str__(self) -> str:
        return self.name


def handler(
    name: str,
    *,
    title: "_StrOrPromise" = "",
    done: "_StrOrPromise" = "",
    permission: Permission | None = None,
    undo: str = "",
) -> Callable[[Run], Handler]:
    """Register a function as the handler of this name.

    The module must be imported by the `ready` of its app. Raises ValueError if the name is taken.
    """

    def register(run: Run) -> Handler:
        if name in _registered:
            raise ValueError(f"Two operation handlers are named {name}.")
        _registered[name] = made = Handler(name, run, title, done, permission, undo)
        return made

    return register


def registered() -> dict[str, Handler]:
    """Return all handlers by name."""
    return dict(_registered)


def find(name: str) -> Handler:
    """Return the handler of this name. Raises Refused if this version has none."""
    found = _registered.get(name)
    if found is None:
        raise Refused("unknown_handler", _("This version no longer knows this kind of work. Start it again."))
    return found
