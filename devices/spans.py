"""The SQL of spans, for ownerships and shares alike. Only `devices.ledger` imports it and decides what is written when.

A whole set is written in one statement. Times are those the caller chose, or a tick after what has to come before.
"""

from datetime import datetime
from typing import Any

from django.db import connection

from console import sql
from devices import horizon
from devices.acts import BegunAct
from devices.models import Call, Device, DeviceReport, Message, Ownership, SharedAccess


def open_each(
    model: Any,
    ids: list[int],
    customer: Any,
    project: Any,
    act: BegunAct,
    reason: str,
    *,
    is_next: bool = False,
) -> None:
    """Open one span for each device, from the act's instant on, but never before the last change of ownership.

    It begins after everything that the device has published, unless it directly follows the span that just ended
    (`is_next`).
    """
    constants = {
        "organization": customer.organization_id,
        "customer": customer.pk,
        "project": project.pk,
        "start_reason": str(reason),
        "started_by": act.by.label[:200],
        "start_evidence": act.evidence,
        "start_note": act.note[:500],
        "ended_by": "",
        "end_evidence": "",
        "end_note": "",
    }
    device, spans = f"{sql.table(Device)}.id", sql.table(Ownership)
    last = f"SELECT MAX(COALESCE(ended_at, started_at)) FROM {spans} AS past WHERE past.device_id = {device}"  # noqa: S608
    times = [f"({last})"]
    if not is_next:
        times.append(sql.a_tick_after(_last_word(device)))
    started = sql.greatest(_mark(), *times)
    sql.insert_from(model, constants, {"device": "id", "started_at": started}, Device, ids, [time(act.at)])


def close(model: Any, column: str, ids: list[int], act: BegunAct, reason: str) -> int:
    """End the open spans whose `column` is one of the ids, now or a tick after their start or the last message."""
    table = sql.table(model)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET ended_at = {_ended(table)}, end_reason = %s, ended_by = %s, end_evidence = %s, "  # noqa: S608
            f"end_note = %s WHERE {sql.in_ids(column)} AND ended_at IS NULL",
            [
                time(act.at),
                str(reason),
                act.by.label[:200],
                act.evidence,
                act.note[:500],
                sql.id_list(ids),
            ],
        )
        return cursor.rowcount


def _ended(span: str) -> str:
    """Return SQL for the end of a span that ends now: a tick after its start or last message if the clock is behind."""
    return sql.greatest(
        _mark(), sql.a_tick_after(f"{span}.started_at"), sql.a_tick_after(_last_word(f"{span}.device_id"))
    )


def _last_word(device: str) -> str:
    """Return SQL for the last instant at which the device published anything, or null. Reads only the ends of indexes.

    Messages after the handover was announced do not count: the same clock stamps them later.
    """
    message, report, call = (sql.table(model) for model in (Message, DeviceReport, Call))
    return sql.greatest(
        f"(SELECT MAX(at) FROM {message} AS said WHERE said.device_id = {device} AND {horizon.heard('said.id')})",  # noqa: S608
        f"(SELECT reported_at FROM {report} AS said WHERE said.device_id = {device})",  # noqa: S608
        f"(SELECT MAX(COALESCE(ended_at, asked_at)) FROM {call} AS said WHERE said.device_id = {device})",  # noqa: S608
    )


def open_again(model: Any, ids: list[int], ended: str) -> list[int]:
    """Reopen the spans that ended on this evidence, unless a newer one of the project is open. Returns their ids."""
    table = sql.table(model)
    newer = (
        f"SELECT 1 FROM {table} AS newer WHERE newer.device_id = {table}.device_id "  # noqa: S608
        f"AND newer.project_id = {table}.project_id AND newer.ended_at IS NULL"
    )
    return sql.update_returning(
        f"UPDATE {table} SET ended_at = NULL, end_reason = NULL, ended_by = '', end_evidence = '', end_note = '' "  # noqa: S608
        f"WHERE {sql.in_ids('device_id')} AND end_evidence = %s AND NOT EXISTS ({newer}) RETURNING id",
        [sql.id_list(ids), ended],
    )


def share_again(share_ids: list[int], at: datetime) -> None:
    """Open a copy of each of these shares, from `at` or the end of the last ownership on, whichever is later."""
    kept = (
        "organization",
        "device",
        "customer",
        "project",
        "start_reason",
        "started_by",
        "start_evidence",
        "start_note",
    )
    copied = {name: sql.quote(sql.field(SharedAccess, name).column) for name in kept}
    of_device = f"past.device_id = {sql.table(SharedAccess)}.device_id"
    last = f"(SELECT MAX(ended_at) FROM {sql.table(Ownership)} AS past WHERE {of_device})"  # noqa: S608
    later, mark = ("GREATEST", "%s::timestamptz") if connection.vendor == "postgresql" else ("MAX", "%s")
    sql.insert_from(
        SharedAccess,
        {"ended_by": "", "end_evidence": "", "end_note": ""},
        {**copied, "started_at": f"{later}({mark}, {last})"},
        SharedAccess,
        share_ids,
        [time(at)],
    )


def end_of_open() -> str:
    """Return SQL for the end that `close` is about to write. A wipe request is identified by that instant.

    It is evaluated while the span is open. Its parameter is the current time.
    """
    spans, devices = sql.table(Ownership), sql.table(Device)
    ended = _ended("span")
    return f"(SELECT {ended} FROM {spans} AS span WHERE span.device_id = {devices}.id AND span.ended_at IS NULL)"  # noqa: S608


def ask_by_the_end(ids: list[int]) -> None:
    """Move each wipe request to the end of its span, which is later if a message came between the two statements."""
    spans, devices = sql.table(Ownership), sql.table(Device)
    ended = f"(SELECT MAX(past.ended_at) FROM {spans} AS past WHERE past.device_id = {devices}.id)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {devices} SET wipe_since = CASE WHEN wipe_since = wipe_asked_at THEN {ended} ELSE wipe_since END, "  # noqa: S608
            f"wipe_asked_at = {ended} WHERE {sql.in_ids('id')} AND EXISTS (SELECT 1 FROM {spans} AS later "
            f"WHERE later.device_id = {devices}.id AND later.ended_at > {devices}.wipe_asked_at)",
            [sql.id_list(ids)],
        )


def _mark() -> str:
    """Return the placeholder of a time in a statement. It is the only place where PostgreSQL learns its type."""
    return "%s::timestamptz" if connection.vendor == "postgresql" else "%s"


def time(at: datetime) -> Any:
    """Return the instant as a parameter of a statement."""
    return connection.ops.adapt_datetimefield_value(at)
