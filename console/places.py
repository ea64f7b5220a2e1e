"""Limits how many exports run at once: per process, so that some threads stay free, and per person or key."""

import threading
import weakref
from collections import Counter
from collections.abc import Hashable
from typing import Any

from django.utils.translation import gettext as _

from console.errors import Refused

# In each process of 8 threads, and how many of these for one person or key.
PLACES, OF_ONE = 4, 2
# Writing an Excel file keeps a processor busy all the time, so fewer of them may run.
HEAVY_PLACES, HEAVY_OF_ONE = 2, 1
SECONDS = 15

_lock = threading.Lock()
_taken: Counter[tuple[Any, ...]] = Counter()


def occupy(response: Any, who: Hashable, *, is_heavy: bool) -> Any:
    """Let this answer occupy a place until it is sent or abandoned, and return it.

    Raises Refused (429) if this person or key has as many places as one may have, and (503) if all are taken.
    """
    wanted = _wanted(who, is_heavy)
    with _lock:
        for key, most, refusal in wanted:
            if _taken[key] >= most:
                raise refusal()
        _taken.update(key for key, _most, _refusal in wanted)
    # Freed by whatever comes first: the end of the file, the end of the connection, or garbage collection of the
    # answer.
    leave = weakref.finalize(response, _leave, [key for key, _most, _refusal in wanted])
    response._resource_closers.append(leave)
    return response


def taken() -> int:
    """Return how many exports run in this process."""
    return _taken["any",]


def _wanted(who: Hashable, is_heavy: bool) -> list[tuple[Any, ...]]:
    wanted: list[tuple[Any, ...]] = [(("of", who), OF_ONE, _one), (("any",), PLACES, _all)]
    if is_heavy:
        wanted += [(("heavy of", who), HEAVY_OF_ONE, _one), (("heavy",), HEAVY_PLACES, _all)]
    return wanted


def _leave(keys: list[tuple[Any, ...]]) -> None:
    with _lock:
        _taken.subtract(keys)
        for key in keys:
            if not _taken[key]:
                del _taken[key]


def _one() -> Refused:
    sentence = _("Another of your downloads is still running. Wait until it finishes, then try again.")
    return Refused("export_running", sentence, status=429, headers={"Retry-After": str(SECONDS)})


def _all() -> Refused:
    sentence = _("Too many downloads are running at the moment. Try again in %(n)d seconds.") % {"n": SECONDS}
    return Refused("exports_busy", sentence, status=503, headers={"Retry-After": str(SECONDS)})
