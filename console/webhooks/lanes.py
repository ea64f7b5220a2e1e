"""Whose turn it is: no receiver delays another one, and no organization delays another one's receivers.

A worker has LINES lines. An organization gets another one while it holds less than half of what the others leave,
and a webhook gets another one while it holds less than what its organization has left of that. So those that hold
many leave some free: a webhook that holds none finds a line at once beside twenty that hang, of its own organization
or of any other. Among those waiting, the one that holds the fewest lines comes first, then the one waiting longest.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Subquery

from console.models import Webhook, WebhookDelivery

# Threads that wait for answers; each is created when it is needed.
LINES = 128
# How many calls one receiver gets at once, from all workers together.
OF_ONE = 4
# An arbitrary number that nothing else uses as an advisory lock.
_TURN = 0x57454248
# The busy lines of a worker: number → (organization, webhook).
Held = dict[int, tuple[int, int]]


@dataclass(frozen=True)
class Waiting:
    """A webhook with a due delivery, and since when it has been due."""

    organization: int
    hook: int
    since: datetime


def take_turns() -> None:
    """Serialize the workers until this transaction ends; together, two would give a webhook too many lines."""
    # On SQLite this is the only transaction that may write.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])


def waiting(at: datetime) -> list[Waiting]:
    """Return the webhooks with an unleased due delivery: one short index lookup for each enabled webhook."""
    rows = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), leased_by="", next_at__isnull=False)
    first = Subquery(rows.order_by("next_at", "id").values("next_at")[:1])
    hooks = Webhook.objects.filter(is_enabled=True).annotate(since=first).order_by()
    found = hooks.values_list("organization_id", "pk", "since")
    return [Waiting(*row) for row in found if row[2] is not None and row[2] <= at]


def busy() -> Counter[int]:
    """Return how many lines each webhook uses, across all workers."""
    held = WebhookDelivery.objects.exclude(leased_by="").order_by()
    lines = held.values_list("webhook_id", "leased_by", "line").distinct()
    return Counter(hook for hook, _worker, _line in lines)


def shared_out(wanted: Iterable[Waiting], held: Held, of_hook: Counter[int]) -> dict[int, int]:
    """Return how many lines each webhook gets now, in order of their turn.

    `held` are the busy lines of this worker; `of_hook` counts those of all workers by webhook.
    """
    everywhere, here = Counter(of_hook), Counter(hook for _organization, hook in held.values())
    owners = Counter(organization for organization, _hook in held.values())
    total, given = len(held), Counter[int]()

    def may(one: Waiting) -> bool:
        limit = (LINES - (total - owners[one.organization])) // 2
        left = limit - owners[one.organization]
        return left > here[one.hook] and everywhere[one.hook] < OF_ONE

    def turn(one: Waiting) -> tuple[Any, ...]:
        return owners[one.organization], here[one.hook], one.since, one.hook

    candidates = list(wanted)
    while candidates := [one for one in candidates if may(one)]:
        first = min(candidates, key=turn)
        for counter, key in (
            (everywhere, first.hook),
            (here, first.hook),
            (owners, first.organization),
            (given, first.hook),
        ):
            counter[key] += 1
        total += 1
    return dict(given)
