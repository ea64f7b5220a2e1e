"""Customers' programs read index ranges: the list of devices, the messages of a project, the next page."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Exists, Max, OuterRef, Q
from django.test.utils import CaptureQueriesContext

from console import counts
from console.access import Actor
from console.cursor import beyond
from console.rest.paging import PageQuery, page
from customers.people.roles import actor_for
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.messages import actions
from devices.messages.api import MessageOut
from devices.models import Device, Message, Ownership, SharedAccess
from devices.models.message import _covering
from tests import factories
from tests.api import Caller, customer_key, key_of
from tests.devices.telling import T0, publisher, tell

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def held(make_devices, customer, other_customer, by):
    """Dana's customer owns the first three devices, one of them also shared with it, and has access to the fourth."""
    devices = make_devices(6)
    ownership.assign([d.pk for d in devices[:3]], customer=customer, by=by, at=T0)
    ownership.assign([d.pk for d in devices[3:5]], customer=other_customer, by=by, at=T0)
    ledger.share(
        [devices[0].pk, devices[3].pk],
        Act(by, at=T0),
        customer=customer,
        project=customer.projects.get(),
        reason="claim",
    )
    return devices


def plan(statement, parameters=None, *, off=("seqscan",)):
    """Return the query plan if there is a choice: test tables are too small for PostgreSQL to use an index.

    Which of two indexes with the same first columns it uses depends on their current pages, so tests don't check that.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for way in off:
                cursor.execute(f"SET LOCAL enable_{way} = off")
            cursor.execute(f"EXPLAIN {statement}", parameters)
            return "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row[3] for row in cursor.fetchall())


def plan_of(rows, **options):
    return plan(*rows.query.sql_with_params(), **options)


def ranges_of(text):
    """Return the first columns of the message indexes that the plan reads by a condition."""
    return set(re.findall(r"message_by_(project|device)(?:_name)?\b", text))


def reads_all(text, table):
    """Return whether the plan scans all rows of the table, or tests each with a condition."""
    if connection.vendor == "postgresql":
        return f"Seq Scan on {table}" in text or "hashed SubPlan" in text
    return f"SCAN {table}" in text


def test_a_customers_devices_are_those_owned_and_those_shared_each_listed_once(held, dana, erin, customer):
    mine, hers = (Device.objects.visible_to(factories.actor_of(who)) for who in (dana, erin))
    assert list(mine.order_by("pk")) == held[:4]
    assert list(hers.order_by("-pk")) == held[4:2:-1]
    member = factories.make_member(customer.organization, "viewer")
    factories.let_in(customer.projects.get(), member)
    assert list(Device.objects.visible_to(actor_for(member)).order_by("pk")) == held[:4]
    assert list(Device.objects.visible_to(Actor(kind="customer"))) == []


def test_a_customers_devices_can_be_filtered_counted_paged_joined_and_used_in_subqueries(held, dana):
    mine = Device.objects.visible_to(factories.actor_of(dana))
    keys = [device.serial_key for device in held]
    assert (mine.count(), counts.of(mine), mine.exists()) == (4, 4, True)
    assert list(mine.filter(serial_key__contains=keys[1])) == [held[1]]
    assert list(mine.exclude(pk=held[0].pk).order_by("serial_key", "id")) == held[1:4]
    assert list(mine.order_by("serial_key", "id").filter(beyond("serial_key", keys[1], held[1].pk, False))) == held[2:4]
    assert list(mine.order_by("-serial_key", "-id").filter(beyond("serial_key", keys[1], held[1].pk, True))[:1]) == [
        held[0]
    ]
    assert [(d.product.name, bool(d.since)) for d in mine.listed().order_by("pk")] == [(held[0].product.name, True)] * 4
    assert list(mine.with_what_it_has().filter(is_shared=True).order_by("pk")) == [held[0], held[3]]
    assert Ownership.objects.filter(device__in=mine).count() == 4
    assert sorted(Device.objects.filter(Exists(mine.filter(pk=OuterRef("pk")))).values_list("pk", flat=True)) == [
        device.pk for device in held[:4]
    ]
    assert list((mine.filter(pk=held[0].pk) | mine.filter(pk=held[3].pk)).order_by("pk")) == [held[0], held[3]]
    assert mine.filter(pk=held[4].pk).first() is None
    assert mine.aggregate(last=Max("pk"))["last"] == held[3].pk


def test_a_customers_devices_are_found_without_scanning_every_device(held, dana):
    actor = factories.actor_of(dana)
    owned, shared = (
        spans.objects.open().reached_by(actor).filter(device=OuterRef("pk")) for spans in (Ownership, SharedAccess)
    )
    for rows in (Device.objects.visible_to(actor), Device.objects.visible_to(actor).current()):
        assert not reads_all(plan_of(rows.order_by("-pk")[:51]), "devices_device")
    # The negative control: the former query.
    tried = plan_of(Device.objects.filter(Exists(owned) | Exists(shared)).order_by("-pk")[:51])
    assert reads_all(tried, "devices_device") or "SubPlan" in tried


@pytest.fixture
def of_project(held, customer):
    """Messages of the devices of a project with shares: of its own device, of the shared one, of a stranger's."""
    for device in (held[0], held[3], held[4]):
        told = publisher(device)
        for n in range(3):
            tell(device, T0 + n * MINUTE, name=("level", "alarm")[n % 2], data=f"{device.pk}-{n}", by=told)
    actions.settle([device.pk for device in held], since=T0)
    return customer.projects.get()


def test_messages_of_a_project_with_shares_can_be_narrowed_by_time_and_name(of_project, held, dana, alice):
    own, shared = held[0].pk, held[3].pk
    for who in (dana, alice):
        rows = Message.objects.visible_to(factories.actor_of(who)).of_project(of_project).order_by("at", "device")

        def found(rows):
            return list(rows.values_list("data", flat=True))

        assert found(rows) == [f"{pk}-{n}" for n in range(3) for pk in (own, shared)]
        assert found(rows.filter(name="alarm")) == [f"{own}-1", f"{shared}-1"]
        narrow = rows.filter(at__gte=T0 + MINUTE, at__lt=T0 + 2 * MINUTE)
        assert found(narrow) == [f"{own}-1", f"{shared}-1"]
        assert found(rows.select_related("device")[:1]) == [f"{own}-0"]


def test_messages_from_before_and_after_a_share_do_not_belong_to_the_project(device, customer, dana, alice, by):
    project, told = customer.projects.get(), publisher(device)
    for since, until in ((1, 2), (4, 5)):
        ledger.share([device.pk], Act(by, at=T0 + since * MINUTE), customer=customer, project=project, reason="claim")
        share = device.sharedaccess_spans.get(ended_at=None)
        ledger.end_share([share.pk], Act(by, at=T0 + until * MINUTE), reason="unclaim")
    for n in range(7):
        tell(device, T0 + n * MINUTE, data=n, by=told)
    for who in (dana, alice):
        rows = Message.objects.visible_to(factories.actor_of(who)).of_project(project)
        assert list(rows.order_by("at").values_list("data", flat=True)) == [1, 4]


def among_many(device):
    """Add thousands of messages of a device to the others, and let PostgreSQL update its statistics.

    Among a dozen rows it may scan any index completely, depending on its current statistics.
    """
    if connection.vendor != "postgresql":
        return
    columns = ", ".join(f'"{field.column}"' for field in Message._meta.concrete_fields if not field.primary_key)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO devices_message ({columns}) SELECT {columns} FROM devices_message, generate_series(1, 2000)"
            " WHERE device_id = %s",
            [device.pk],
        )
        cursor.execute("ANALYZE devices_message")


def test_messages_of_a_project_with_shares_are_two_index_ranges(of_project, held, alice, dana):
    among_many(held[4])
    for who in (dana, alice):
        rows = Message.objects.visible_to(factories.actor_of(who)).of_project(of_project)
        text = plan_of(rows.order_by("-at", "-pk")[:51])
        assert not reads_all(text, "devices_message")
        assert ranges_of(text) == {"project", "device"}
    # The negative control, for PostgreSQL: the former query.
    shares = SharedAccess.objects.filter(project=of_project)
    was = Q(project=of_project) | Q(device__in=shares.values("device")) & Q(Exists(_covering(shares)))
    if connection.vendor == "postgresql":
        assert reads_all(plan_of(Message.objects.filter(was)), "devices_message")


def test_the_window_of_a_device_stays_a_range_of_its_index(of_project, held, dana):
    rows = Message.objects.visible_to(factories.actor_of(dana), device=held[1]).order_by("-at", "-pk")
    text = plan_of(rows[:51], off=("seqscan", "bitmapscan", "sort"))
    assert ranges_of(text) == {"device"}
    assert "SORT" not in text.upper().replace("FOR ORDER BY", "SORT")


def test_the_next_page_by_time_is_one_range_of_the_index(device):
    told = publisher(device)
    for n in range(4):
        tell(device, T0 + n // 2 * MINUTE, data=n, by=told)
    rows = Message.objects.filter(device=device)
    first = page({"limit": 3}, rows, MessageOut, by="at").data
    with CaptureQueriesContext(connection) as caught:
        second = page({"limit": 3, "cursor": first["next"]}, rows, MessageOut, by="at").data
    assert [row["data"] for each in (first, second) for row in each["results"]] == [3, 2, 1, 0]
    (statement,) = [query["sql"] for query in caught if "devices_message" in query["sql"]]
    assert '"devices_message"."at" <= ' in statement
    assert "message_by_device" in plan(statement.replace("%", "%%"))
    oldest = page({"limit": 3}, rows, MessageOut, by="at", newest_first=False).data
    last = page({"limit": 3, "cursor": oldest["next"]}, rows, MessageOut, by="at", newest_first=False).data
    assert [row["data"] for each in (oldest, last) for row in each["results"]] == [0, 1, 2, 3]
    assert PageQuery().fields.keys() == {"limit", "cursor"}


def test_an_ownership_is_found_by_serial_number_through_the_index_of_products(
    held, alice, dana, customer, charlie, other_organization
):
    serial = held[0].serial_number
    twin = factories.make_device(factories.make_product(other_organization, "Twin"), serial)
    past = held[1]
    ownership.unclaim([past.pk], reason="x", by=factories.actor_of(alice))
    Device.objects.filter(pk=past.pk).update(archived_at=T0)
    staff, mine, stranger = (Caller(key_of(alice)), Caller(customer_key(dana, customer)), Caller(key_of(charlie)))

    def found(caller, number):
        return [row["device"] for row in caller.get("/device-ownerships", serial_number=number).json()["results"]]

    assert found(staff, serial.lower()) == found(mine, serial) == [held[0].pk]
    assert found(staff, past.serial_number) == found(mine, past.serial_number) == [past.pk]
    assert (found(mine, held[4].serial_number), found(stranger, serial), found(staff, "nope")) == ([], [], [])
    assert twin.serial_number == serial
    for caller in (staff, mine):
        with CaptureQueriesContext(connection) as caught:
            found(caller, serial)
        looked_up, listed = (
            next(q["sql"] for q in caught if what in q["sql"])
            for what in ('"serial_key" = ', 'FROM "devices_ownership"')
        )
        text = plan(looked_up.replace("%", "%%"))
        assert not reads_all(text, "devices_device")
        assert connection.vendor == "postgresql" or "(product_id=? AND serial_key=?)" in text
        assert "serial_key" not in listed.partition("WHERE")[2]
        assert not reads_all(plan(listed.replace("%", "%%")), "devices_ownership")
