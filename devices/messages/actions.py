"""Stores the messages that devices publish."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from console import clock, sql
from console.audit.kinds import names_of
from console.models import Event, Organization, Webhook
from console.slots import Slot
from console.transactions import retrying
from devices import events
from devices.ledger import Change
from devices.messages.webhooks import on_moved
from devices.messages.window import Draft
from devices.models import Device, Message, Ownership, SharedAccess

COLUMNS = ["organization", "device", "project", "name", "data", "at", "device_at"]
# How far back messages are checked when the ledger changes, and how far back upkeep looks for changes of ownership:
# longer than the longest operation, whose devices all change hands at the moment when it began.
BACK, RECENT = timedelta(days=1), timedelta(hours=3)
# Number of devices whose messages are settled in one transaction.
DEVICES_AT_ONCE = 1_000
# Number of old messages deleted in one transaction, and how many times in a row.
OLD_AT_ONCE, TIMES = 5_000, 40


@dataclass(frozen=True)
class Publisher:
    """A device that has authenticated, as the ledger knows it.

    `not_before` is its last change of ownership or of shares. No message is stamped earlier: a clock may have run
    ahead, and what is published after a handover must not fall into the previous owner's span. If `is_heard` is false,
    no webhook follows what the organization's devices publish, so the followers are not called.
    """

    device_id: int
    organization_id: int
    project_id: int | None = None
    not_before: datetime | None = None
    is_heard: bool = True

    def stamp(self, at: datetime | None = None) -> datetime:
        """Return the time of what the device says now."""
        at = at or clock.now()
        return max(at, self.not_before) if self.not_before else at


# Called in the same transaction with what a device published at one instant.
followers: Slot[[Publisher, list[Draft], datetime], None] = Slot("devices.messages.actions.followers")


def publish(drafts: list[Draft], *, by: Publisher, at: datetime | None = None) -> datetime:
    """Store all the messages or none, at one and the same instant, which is returned."""
    if len(drafts) == 1 and not (by.is_heard and followers):
        # A single statement is a transaction by itself.
        return _insert_one(drafts[0], by, at)
    return _publish_many(drafts, by, at)


def publish_at_once(draft: Draft, *, name_key: str, secret_sha256: str, at: datetime | None = None) -> bool:
    """Store one message of the device with this name and secret that nothing follows, all in one statement.

    Returns False if there is no such device; the normal path then finds out what to answer.
    """
    adapt = connection.ops.adapt_datetimefield_value
    values = [draft.name, str(draft.data), _stamp(at), adapt(draft.device_at), name_key, secret_sha256]
    with sql.prepared_cursor(_at_once(), values) as cursor:
        return cursor.rowcount == 1


@cache
def _at_once() -> str:
    """Return SQL that keeps the same promises as `Publisher.stamp` and `publish`."""
    fields = [sql.field(Message, name) for name in COLUMNS]
    columns = ", ".join(sql.quote(field.column) for field in fields)
    name, data, _at, device_at = (sql.placeholder(field) for field in fields[3:])
    spans, last = sql.table(Ownership), "SELECT MAX(COALESCE(s.ended_at, s.started_at)) FROM"
    owned = f"({last} {spans} AS s WHERE s.device_id = d.id)"
    shared = f"({last} {sql.table(SharedAccess)} AS s WHERE s.device_id = d.id)"
    # Because of the LIMIT, the columns below are computed before the id is drawn: a smaller id was stamped earlier.
    return (
        f"INSERT INTO {sql.table(Message)} ({columns}) SELECT d.organization_id, d.id, "  # noqa: S608
        f"(SELECT s.project_id FROM {spans} AS s WHERE s.device_id = d.id AND s.ended_at IS NULL), {name}, {data}, "
        f"{sql.greatest(_now(), owned, shared)}, {device_at} "
        f"FROM {sql.table(Device)} AS d WHERE d.name_key = %s AND d.secret_sha256 = %s AND d.archived_at IS NULL "
        # The unique index of names begins with the organization.
        f"AND d.organization_id IN (SELECT id FROM {sql.table(Organization)}) AND NOT EXISTS (SELECT 1 FROM "
        f"{sql.table(Webhook)} AS w WHERE w.organization_id = d.organization_id AND w.is_enabled) ORDER BY d.id LIMIT 1"
    )


@retrying
def _publish_many(drafts: list[Draft], by: Publisher, at: datetime | None) -> datetime:
    if len(drafts) == 1:
        at = _insert_one(drafts[0], by, at)
    else:
        # The clock is read within the transaction, and before ids are drawn.
        at = by.stamp(at)
        stamp, adapt = connection.ops.adapt_datetimefield_value(at), connection.ops.adapt_datetimefield_value
        fixed = (by.organization_id, by.device_id, by.project_id)
        rows = [(*fixed, draft.name, str(draft.data), stamp, adapt(draft.device_at)) for draft in drafts]
        sql.insert_rows(Message, COLUMNS, rows)
    if by.is_heard:
        followers.call(by, drafts, at)
    return at


def _insert_one(draft: Draft, by: Publisher, at: datetime | None) -> datetime:
    adapt = connection.ops.adapt_datetimefield_value
    values = [by.organization_id, by.device_id, by.project_id, draft.name, str(draft.data), adapt(draft.device_at)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_one(), [*values, at, by.not_before])
            return cursor.fetchone()[0]
        at = by.stamp(at)
        cursor.execute(_one(), [*values, adapt(at)])
        return at


@cache
def _one() -> str:
    fields = [sql.field(Message, name) for name in (*COLUMNS[:5], "device_at", "at")]
    into = f"INSERT INTO {sql.table(Message)} ({', '.join(sql.quote(field.column) for field in fields)})"
    values = ", ".join(sql.placeholder(field) for field in fields[:-1])
    if connection.vendor != "postgresql":
        return f"{into} VALUES ({values}, %s)"
    # The clock is read before the id is drawn, so a message with a smaller id was stamped earlier.
    stamp = sql.greatest(_now(), "%s::timestamptz")
    return f"{into} SELECT {values}, stamped.at FROM (SELECT {stamp} AS at OFFSET 0) AS stamped RETURNING at"  # noqa: S608


def _now() -> str:
    """Return SQL for the given instant, else the present one, which only PostgreSQL can determine itself."""
    return "COALESCE(%s::timestamptz, clock_timestamp())" if connection.vendor == "postgresql" else "%s"


def _stamp(at: datetime | None) -> Any:
    """Return the parameter for the SQL of `_now`."""
    if at is None and connection.vendor == "postgresql":
        return None
    return connection.ops.adapt_datetimefield_value(at or clock.now())


def follow_ledger(change: Change) -> None:
    """Move messages that came while devices changed hands to the project that the ledger says, or to none."""
    if change.kind != "registered":
        settle(change.device_ids, since=change.act.at - BACK)


@retrying
def settle(device_ids: Iterable[int], *, since: datetime) -> int:
    """Correct the projects of the devices' messages from `since` on by the ledger. Returns how many changed."""
    return _settle(
        f"{sql.in_ids('device_id')} AND at >= %s",
        [sql.id_list(device_ids), connection.ops.adapt_datetimefield_value(since)],
    )


def settle_recent(at: datetime | None = None) -> int:
    """Settle the messages of devices that changed hands lately: one may have come at the very moment of a handover.

    The cost depends on the number of changes of ownership, not on how much the devices publish.
    """
    since = (at or timezone.now()) - RECENT
    ids, count = changed_hands(since), 0
    for start in range(0, len(ids), DEVICES_AT_ONCE):
        count += settle(ids[start : start + DEVICES_AT_ONCE], since=since)
    return count


def changed_hands(since: datetime) -> list[int]:
    """Return the devices that may have changed hands since then; the log records even handovers that were undone."""
    handovers = Event.objects.filter(
        organization__in=Organization.objects.values("pk"), at__gte=since, subject_kind="device"
    )
    return sorted(set(handovers.exclude(kind__in=names_of(events.NO_HANDOVER)).values_list("subject_id", flat=True)))


def delete_old(at: datetime | None = None) -> int:
    """Delete messages older than the setting MESSAGE_DAYS, if it is set. Returns how many.

    Ids grow with time, so the oldest messages are the first ones: no index of the times of all devices is kept for
    this.
    """
    count, days = 0, settings.MESSAGE_DAYS
    before = (at or timezone.now()) - timedelta(days=days)
    for _time in range(TIMES if days else 0):
        first = Message.objects.order_by("pk").values_list("pk", "at")[:OLD_AT_ONCE]
        old = [pk for pk, came_at in first if came_at < before]
        if not old:
            break
        count += sql.having_ids(Message.objects.all(), "id", old).purge()[0]
    return count


def _settle(condition: str, parameters: list[Any]) -> int:
    table, spans = sql.table(Message), sql.table(Ownership)
    true = (
        f"(SELECT span.project_id FROM {spans} AS span WHERE span.device_id = {table}.device_id "  # noqa: S608
        f"AND span.started_at <= {table}.at AND (span.ended_at IS NULL OR span.ended_at > {table}.at))"
    )
    moved = sql.update_returning(
        f"UPDATE {table} SET project_id = {true} WHERE {condition} "  # noqa: S608
        f"AND COALESCE(project_id, 0) <> COALESCE({true}, 0) RETURNING id",
        parameters,
    )
    on_moved(moved)
    return len(moved)
