"""Bulk changes of ownership, with ledger, codes and audit, against bare set-based SQL on the same rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from django.db import transaction
from django.test import Client
from django.utils import timezone

from bench import timing
from bench.data import World, device_columns, execute, insert, make_projects, padded, series, settle, start
from bench.report import Line, per_second
from claims.models import ClaimProfile, Scope
from claims.profiles.actions import codes as claim_codes
from console import operations, sql
from console.access import ROLES, Actor, Permission, system
from console.models import Operation
from customers.keys.actions import api_keys
from customers.models import Customer, Project
from devices.actions import ownership
from devices.models import Device, Ownership

MOST = 4.0
ROUNDS = 3
# An operation repeats the work of the set in chunks; its overhead is reported, and has the same budget.
ASSIGN, UNCLAIM = "assign", "unclaim"


@dataclass
class Stock:
    """A number of devices in stock, each with a code of its own, and a customer."""

    customer: Customer
    project: Project
    by: Any
    ids: list[int]
    serials: list[str]
    program: Client
    times: dict[str, list[float]] = field(default_factory=dict)

    def time(self, name: str, work: Callable[[], Any]) -> None:
        """Run the work once, on settled tables."""
        settle()
        self.times.setdefault(name, []).append(timing.seconds(work))

    def assign(self) -> None:
        """Assign all devices at once with Custody's action."""
        outcome = ownership.assign(self.ids, customer=self.customer, by=self.by)
        assert len(outcome.done) == len(self.ids)

    def unclaim(self) -> None:
        """Unclaim all devices at once with Custody's action."""
        outcome = ownership.unclaim(self.ids, reason="The lease is over", by=self.by)
        assert len(outcome.done) == len(self.ids)

    def operate(self, handler: str, **payload: Any) -> None:
        """Run Custody's operation as a person starts it: in chunks, recording its progress."""
        operation = operations.start(
            f"device.{handler}",
            "Bench",
            by=self.by,
            permission=Permission.DEVICE_ASSIGN,
            total=len(self.ids),
            payload={"ids": self.ids, **payload},
        )
        operations.run(operation.pk)
        assert Operation.objects.get(pk=operation.pk).succeeded == len(self.ids)

    def batch(self, path: str, **body: Any) -> None:
        """Run Custody's batch as a program requests it, by serial numbers: from the call to the last result."""
        started = self.program.post(path, {"devices": self.serials, **body}, content_type="application/json")
        assert started.status_code == 202, started.content[:300]
        operation = Operation.objects.get(pk=started.json()["id"])
        operations.run(operation.pk)
        operation.refresh_from_db()
        assert operation.succeeded == len(self.ids)

    @transaction.atomic
    def bare_assign(self) -> None:
        """Assign with one UPDATE and one INSERT … SELECT."""
        execute(
            f"UPDATE {sql.table(Device)} SET customer_id = %s, status = 'owned' WHERE {sql.in_ids('id')}",
            [self.customer.pk, sql.id_list(self.ids)],
        )
        constants = {
            "organization": self.customer.organization_id,
            "customer": self.customer.pk,
            "project": self.project.pk,
            "started_at": timezone.now(),
            "start_reason": "assignment",
            "started_by": "Alice Kemp",
            "ended_by": "",
            "start_evidence": "",
            "end_evidence": "",
            "start_note": "",
            "end_note": "",
        }
        sql.insert_from(Ownership, constants, {"device": "id"}, Device, self.ids)

    @transaction.atomic
    def bare_unclaim(self) -> None:
        """Unclaim with one UPDATE of the devices and one of their spans."""
        ids = sql.id_list(self.ids)
        execute(
            f"UPDATE {sql.table(Device)} SET customer_id = NULL, status = 'in_stock' WHERE {sql.in_ids('id')}", [ids]
        )
        execute(
            f"UPDATE {sql.table(Ownership)} "
            "SET ended_at = %s, end_reason = 'unclaim', ended_by = 'Alice Kemp' "
            f"WHERE {sql.in_ids('device_id')} AND ended_at IS NULL",
            [sql.prepared(Ownership, "ended_at", timezone.now()), ids],
        )


def stock(count: int) -> Stock:
    """Create the devices, their codes and the customer."""
    world = start("Northlake")
    product = world.products[0]
    insert(Device, device_columns(world, padded("s.i", 7), str(product.pk)), series(count))
    insert(
        Customer,
        {
            "organization": str(world.organization.pk),
            "kind": "'company'",
            "name": "'Stadtwerke Aalen'",
            "name_key": "'stadtwerke aalen'",
        },
        series(1),
    )
    make_projects(world)
    ids = list(Device.objects.order_by("pk").values_list("pk", flat=True))
    profile = ClaimProfile(
        organization=world.organization, slug="units", name="Units", scope=Scope.UNIT, product=product
    )
    profile.set_keys()
    profile.save()
    claim_codes.make_for_devices(profile, ids)
    serials = list(Device.objects.order_by("pk").values_list("serial_number", flat=True))
    return Stock(
        Customer.objects.get(),
        Project.objects.get(),
        system(world.organization, "Alice Kemp"),
        ids,
        serials,
        Client(headers={"authorization": f"Bearer {key_of(world)}"}),
    )


def key_of(world: World) -> str:
    """Return the text of an API key that may assign and unclaim any number of devices."""
    owner = Actor(
        kind="member",
        user=world.member,
        organization=world.organization,
        role="owner",
        permissions=ROLES["owner"],
        label="Alice Kemp",
    )
    _key, text = api_keys.create(
        name="Bench", scopes=["view", "device.assign", "device.unclaim", "device.unclaim_many"], by=owner
    )
    return text


def measure(count: int) -> Iterator[Line]:
    """Assign and unclaim the same devices in turns: at once, as an operation, as a batch over REST, and by bare SQL."""
    held = stock(count)
    for _round in range(ROUNDS):
        held.time(ASSIGN, held.assign)
        held.time(UNCLAIM, held.unclaim)
        held.time(f"bare {ASSIGN}", held.bare_assign)
        held.time(f"bare {UNCLAIM}", held.bare_unclaim)
        held.time(f"{ASSIGN} as an operation", lambda: held.operate("assign", customer=held.customer.pk))
        held.time(f"{UNCLAIM} as an operation", lambda: held.operate("unclaim", reason="The lease is over"))
        held.time(
            f"{ASSIGN} as a batch over REST", lambda: held.batch(f"/api/v1/customers/{held.customer.pk}/devices:assign")
        )
        held.time(
            f"{UNCLAIM} as a batch over REST", lambda: held.batch("/api/v1/devices:unclaim", reason="The lease is over")
        )
    times = {name: median(taken) for name, taken in held.times.items()}
    for name in (ASSIGN, UNCLAIM):
        floor = times[f"bare {name}"]
        for work in (name, f"{name} as an operation", f"{name} as a batch over REST"):
            yield Line(
                f"{work}, {count:,} devices",
                per_second(count, times[work]),
                per_second(count, floor),
                times[work] / floor,
                most=MOST,
            )
