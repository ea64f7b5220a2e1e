"""How far customers may read messages while devices change hands.

A handover has one instant, chosen at its beginning, and becomes visible when it is committed, which for very many
devices is seconds later. What the devices publish in between belongs to the next owner, while everybody still sees the
former owner. So on PostgreSQL a handover announces itself before it chooses its instant (see `console.feed`), with the
number up to which all messages were committed by then. Customers read up to there or, if nothing is announced, up to
what was committed when they asked. Any later handover chooses an instant after all of that.

On SQLite a handover holds the only write lock, and chooses its instant under it.
"""

from typing import Any

from django.apps import apps
from django.db import connection, models

from console import feed, sql
from console.access import Actor

MESSAGES = feed.lane_of("message_in_order")
# The last announcement, for other statements of the same transaction.
HEARD = "custody.heard"
# Each organization has its own lane for announcements.
_ORGANIZATIONS = 1 << 29


def announce(device_id: int) -> None:
    """Announce to all readers, until this transaction ends, that devices of this device's organization change hands."""
    if connection.vendor != "postgresql":
        return
    lane = feed.announce(_lane("device.organization_id"), "settled.n")
    with connection.cursor() as cursor:
        cursor.execute(  # unscoped: announces, and reads no row for anybody
            f"SELECT {lane}, set_config('{HEARD}', settled.n::text, true) "  # noqa: S608
            f"FROM {sql.table(_model('devices.Device'))} AS device, "
            f"({feed.settled(_sequence(), str(MESSAGES))}) AS settled WHERE device.id = %s",
            [device_id],
        )


def heard(message_id: str) -> str:
    """Return SQL for whether a message existed when this transaction announced its handover; true without one."""
    if connection.vendor != "postgresql":
        return "1 = 1"
    return f"{message_id} <= (SELECT COALESCE(NULLIF(current_setting('{HEARD}', true), ''), '{1 << 62}')::bigint)"


def up_to(actor: Actor) -> int | None:
    """Return the id of the last message, of any device, that a customer's user may read now; None means no limit."""
    return settled(actor) if connection.vendor == "postgresql" else None


def settled(actor: Actor) -> int:
    """Return the id up to which all messages are committed and no handover visible to the actor is under way.

    No message up to this id can still appear, and none can become readable by a handover that is not finished.
    """
    if connection.vendor != "postgresql":
        return feed.settled_up_to(_model("devices.Message"), "id", "message_in_order")
    if actor.kind != "customer":
        return _ask(f"SELECT {MESSAGES} UNION SELECT {_lane('%s')}", [actor.organization.pk])
    customers, projects = (sql.table(_model(name)) for name in ("customers.Customer", "customers.Project"))
    lanes = (
        f"SELECT {MESSAGES} UNION SELECT {_lane('organization_id')} FROM {customers} WHERE {sql.in_ids('id')} "  # noqa: S608
        f"UNION SELECT {_lane('organization_id')} FROM {projects} WHERE {sql.in_ids('id')}"
    )
    return _ask(lanes, [sql.id_list(actor.customers), sql.id_list(actor.projects)])


def _ask(lanes: str, parameters: list[Any]) -> int:
    with connection.cursor() as cursor:
        # unscoped: reads only the last settled number, and no row
        cursor.execute(feed.settled(_sequence(), lanes), parameters)
        return cursor.fetchone()[0]


def _lane(organization_id: str) -> str:
    return f"{feed.LANES} + mod({organization_id}, {_ORGANIZATIONS})"


def _sequence() -> str:
    return feed.sequence_of(_model("devices.Message")._meta.db_table, "id")


def _model(name: str) -> type[models.Model]:
    return apps.get_model(name)
