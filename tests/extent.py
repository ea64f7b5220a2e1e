"""How much a run tries. The default proves each mechanism once; `script/test --all` tries more of the same."""

import os
from typing import TypeVar

T = TypeVar("T")
IS_ALL = os.environ.get("CUSTODY_TEST_ALL") == "1"


def extent(usual: T, everything: T) -> T:
    """Return `usual`, or with CUSTODY_TEST_ALL=1 `everything`."""
    return everything if IS_ALL else usual
