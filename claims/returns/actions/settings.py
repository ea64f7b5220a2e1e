"""Return settings: where customers send devices, the reasons they choose from, and the inspection checklist."""

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

# No real name starts with this, because texts have no control characters.
NO_NAME = "\x1f"
MOST = 50


@retrying
def save_slip(*, by: Actor, **fields: str) -> ReturnSettings:
    """Save the `address` that customers send devices to, and the `note` on their slip; only those given change."""
    ReturnSettings.objects.bulk_create(
        [ReturnSettings(organization=by.organization, address="", note="")], ignore_conflicts=True
    )
    settings = ReturnSettings.objects.get(organization=by.organization)
    if edits.write(settings, fields):
        record(events.SLIP_EDITED, by.organization, by=by, address=settings.address, note=settings.note)
    return settings


def hold(organization: Any) -> None:
    """Lock the organization's reasons and checklist until this transaction ends."""
    edits.hold(organization)
    for model in (ReturnReason, ReturnCheck):
        list(model.objects.select_for_update().filter(organization=organization).order_by("pk").values_list("pk"))


@retrying
def save_reasons(choices: list[Choice], *, by: Actor, at: datetime | None = None) -> None:
    """Set the organization's reasons, in this order; those left out stay as they are.

    Raises Refused (422) if two have the same name, if all of them are archived, or if there are more than 50.
    """
    keys = [fold(choice.text)[:80] for choice in choices]
    _check(choices, keys)
    rows = {row.pk: row for row in ReturnReason.objects.select_for_update().filter(organization=by.organization)}
    # Move the old names out of the way first, so that two reasons can swap names.
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
    """Set the organization's checklist, in this order; points left out stay as they are.

    Raises Refused (422) if two have the same text, if all of them are archived, or if there are more than 50.
    """
    _check(choices, [fold(choice.text) for choice in choices])
    rows = {row.pk: row for row in ReturnCheck.objects.select_for_update().filter(organization=by.organization)}
    for position, choice in enumerate(choices):
        values = {"text": choice.text[:160], "position": position}
        _save(ReturnCheck, rows.get(choice.pk or 0), choice, values, by, at)
    record(events.CHECKS_EDITED, by.organization, by=by, given=_open(choices))


def _check(choices: list[Choice], keys: list[str]) -> None:
    twins = sorted({choice.text for choice, key in zip(choices, keys, strict=True) if keys.count(key) > 1})
    if twins:
        raise Refused("duplicate", _("“%(name)s” is listed twice.") % {"name": twins[0]}, status=422)
    if not _open(choices):
        raise Refused("none_left", _("Keep at least one that isn't archived."), status=422)
    if len(choices) > MOST:
        raise Refused("too_many", _("There can be at most %(n)d.") % {"n": MOST}, status=422)


def _save(model: Any, row: Any, choice: Choice, values: dict[str, Any], by: Actor, at: datetime | None) -> None:
    archived_at = (at or timezone.now()) if choice.is_archived else None
    if row is None:
        model.objects.create(organization=by.organization, archived_at=archived_at, **values)
        return
    # An archived choice keeps the time at which it was archived.
    values["archived_at"] = row.archived_at if choice.is_archived and row.archived_at else archived_at
    model.objects.filter(pk=row.pk).update(**values)


def _open(choices: list[Choice]) -> list[str]:
    return [choice.text for choice in choices if not choice.is_archived]
