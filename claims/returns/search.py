"""Finds returns by number for the global search."""

from django.utils.translation import gettext as _

from claims.models import Return
from console.access import Actor
from console.search import Hit


def find(actor: Actor, text: str, limit: int) -> list[Hit]:
    """Return the return with this number; no query is run if the text is not a number of a return."""
    number = Return.NUMBERS.number(text)
    if number is None:
        return []
    rows = Return.objects.visible_to(actor).select_related("device", "customer").filter(number=number)
    return [
        Hit(
            kind=_("Return"),
            icon="undo-2",
            title=row.code,
            rank=0,
            url=row.get_absolute_url(),
            detail=f"{row.device} · {row.get_state_display()}",
        )
        for row in rows[:limit]
    ]
