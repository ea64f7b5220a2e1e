"""How far customers read while devices change hands.

A change of hands has one instant, chosen at its beginning, and is seen when it is committed, for very many devices
seconds later. What the devices publish meanwhile is the next owner's, while everybody still sees them with the owner
before. So on PostgreSQL a change of hands announces itself before it chooses its instant (see `console.feed`): with the
number up to which all messages were committed by then. Customers read up to there and, where nothing is announced, up
to what was committed when they asked. Any later change of hands chooses an instant after all of that.

On SQLite who changes hands has the only lock for writing, and chooses the instant under it.
"""

from django.apps import apps
from django.db import connection, models

from console import feed, sql
from console.access import Actor

MESSAGES = feed.lane_of("message_in_order")
# What was announced last, for the statements of the same transaction.
HEARD = "custody.heard"
# The announcements of each organization have a lane of their own.
_ORGANIZATIONS = 1 << 29


def announce(device_id: int) -> None:
    """Tell all readers that devices of this one's organization are changing hands, until this transaction ends."""
    if connection.vendor != "postgresql":
        return
    lane = feed.announce(_lane("device.organization_id"), "settled.n")
    with connection.cursor() as cursor:
        cursor.execute(  # unscoped: announces; reads no row for anybody
            f"SELECT {lane}, set_config('{HEARD}', settled.n::text, true) FROM {sql.table(_model('devices.Device'))} AS device, "  # noqa: S608
            f"({feed.settled(_sequence(), str(MESSAGES))}) AS settled WHERE device.id = %s",
            [device_id],
        )


def heard(message_id: str) -> str:
    """SQL for whether a message was there when this transaction announced its change of hands, as it always is without."""
    if connection.vendor != "postgresql":
        return "1 = 1"
    return f"{message_id} <= (SELECT COALESCE(NULLIF(current_setting('{HEARD}', true), ''), '{1 << 62}')::bigint)"


def up_to(actor: Actor) -> int | None:
    """The id of the last message that a customer's person may read now, whosever it is; None is no limit."""
    return settled(actor) if connection.vendor == "postgresql" else None


def settled(actor: Actor) -> int:
    """The id up to which all messages are committed, and no change of hands that the actor sees is under way.

    Neither can a message up to there still come, nor can one become readable by a change of hands that is not done.
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


def _ask(lanes: str, parameters: list) -> int:
    with connection.cursor() as cursor:
        # unscoped: the last number that is settled, and no row
        cursor.execute(feed.settled(_sequence(), lanes), parameters)
        return cursor.fetchone()[0]


def _lane(organization_id: str) -> str:
    return f"{feed.LANES} + mod({organization_id}, {_ORGANIZATIONS})"


def _sequence() -> str:
    return feed.sequence_of(_model("devices.Message")._meta.db_table, "id")


def _model(name: str) -> type[models.Model]:
    return apps.get_model(name)
