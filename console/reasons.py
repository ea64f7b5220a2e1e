"""Reasons: actions that take a device from its owner must give one."""

from typing import Any

from django.utils.translation import gettext as _

from console.errors import Refused


def stated(reason: str, *, sentence: Any = "") -> str:
    """Return the reason without surrounding white space.

    Raises Refused if nothing is left. `sentence` replaces the default message where the reason is not free text.
    """
    reason = reason.strip()
    if not reason:
        said = sentence or _("Enter a reason. It stays in the device's history.")
        raise Refused("reason_missing", said, status=422)
    return reason
