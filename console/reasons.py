"""Reasons: what takes a device from its owner must say why."""

from typing import Any

from django.utils.translation import gettext as _

from console.errors import Refused


def stated(reason: str, *, sentence: Any = "") -> str:
    """Return the reason without the white space around it.

    Raises Refused where nothing is left, with a `sentence` of its own where the reason is not a free text.
    """
    reason = reason.strip()
    if not reason:
        said = sentence or _("Say why. The reason stays in the device's history.")
        raise Refused("reason_missing", said, status=422)
    return reason
