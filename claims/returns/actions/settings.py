"""Sets up returns: where customers send units, why they come back, what is checked then."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from claims.models import ReturnCheck, ReturnReason, ReturnSettings
from claims.returns import events
from claims.returns.choices import Choice
from console import edits
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.fields import fold
from console.transactions import retrying

# No name begins so: a text has no control characters.
NO_NAME = "\x1f"
MOST = 50


@retrying
def save_slip(*, by: Actor, **fields: str) -> ReturnSettings:
    """Say where customers send units (`address`), and what else their slip tells (`note`): those that are given."""
    ReturnSettings.objects.bulk_create(
        [ReturnSettings(organization=by.organization, address="", note="")], ignore_conflicts=True
    )
    settings = ReturnSettings.objects.get(organization=by.organization)
    if edits.write(settings, fields):
        record(events.SLIP_EDITED, by.organization, by=by, address=settings.address, note=settings.note)
    return settings


def hold(organization: Any) -> None:
    """Keep reasons and checklist as they are until this transaction ends, but for what it does itself."""
    edits.hold(organization)
    for model in (ReturnReason, ReturnCheck):
        list(model.objects.select_for_update().filter(organization=organization).order_by("pk").values_list("pk"))


@retrying
def save_reasons(choices: list[Choice], *, by: Actor, at: datetime | None = None) -> None:
    """Set the organization's reasons, in this order; those that are left out stay as they are.

    Raises Refused where two have the same name, or none is left to choose.
    """
    keys = [fold(choice.text)[:80] for choice in choices]
    _check(choices, keys)
    rows = {row.pk: row for row in ReturnReason.objects.select_for_update().filter(organization=by.organization)}
    # First out of each other's way, so that two may change their names with each other.
    for pk in set(rows) & {choice.pk for choice in choices}:
        ReturnReason.objects.filter(pk=pk).update(name_key=f"{NO_NAME}{pk}")
    for position, (choice, key) in enumerate(zip(choices, keys, strict=True)):
        values = {
            "name": choice.text[:80],
            "name_key": key,
            "position": position,
            "is_for_customers": choice.is_for_customers,
        }
        _save(ReturnReason, rows.get(choice.pk or 0), choice, values, by, at)
    record(events.REASONS_EDITED, by.organization, by=by, given=_open(choices))


@retrying
def save_checks(choices: list[Choice], *, by: Actor, at: datetime | None = None) -> None:
    """Set the organization's checklist, in this order; points that are left out stay as they are."""
    _check(choices, [fold(choice.text) for choice in choices])
    rows = {row.pk: row for row in ReturnCheck.objects.select_for_update().filter(organization=by.organization)}
    for position, choice in enumerate(choices):
        values = {"text": choice.text[:160], "position": position}
        _save(ReturnCheck, rows.get(choice.pk or 0), choice, values, by, at)
    record(events.CHECKS_EDITED, by.organization, by=by, given=_open(choices))


def _check(choices: list[Choice], keys: list[str]) -> None:
    twins = sorted({choice.text for choice, key in zip(choices, keys, strict=True) if keys.count(key) > 1})
    if twins:
        raise Refused("duplicate", _("“%(name)s” is there twice.") % {"name": twins[0]}, status=422)
    if not _open(choices):
        raise Refused("none_left", _("Leave at least one that is not archived."), status=422)
    if len(choices) > MOST:
        raise Refused("too_many", _("At most %(n)d.") % {"n": MOST}, status=422)


def _save(model: Any, row: Any, choice: Choice, values: dict[str, Any], by: Actor, at: datetime | None) -> None:
    archived_at = (at or timezone.now()) if choice.is_archived else None
    if row is None:
        model.objects.create(organization=by.organization, archived_at=archived_at, **values)
        return
    # When it was archived is kept while it stays so.
    values["archived_at"] = row.archived_at if choice.is_archived and row.archived_at else archived_at
    model.objects.filter(pk=row.pk).update(**values)


def _open(choices: list[Choice]) -> list[str]:
    return [choice.text for choice in choices if not choice.is_archived]
