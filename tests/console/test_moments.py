"""Times of RFC 3339, and days of the organization, at every door."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from console import moments
from console.models import Event
from customers.projects.actions import projects
from devices.actions import ownership
from devices.models import Message, Ownership
from tests import factories
from tests.api import Caller, key_of

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T12:00:00Z", NOON),
        ("2026-11-22t12:00:00z", NOON),
        ("2026-11-22 12:00:00Z", NOON),
        ("2026-11-22T13:00:00+01:00", NOON),
        ("2026-11-22T13:00:00 01:00", NOON),
        ("2026-11-22 13:00:00 01:00", NOON),
        ("2026-11-22T02:00:00-10:00", NOON),
        ("2026-11-22T12:00:00-00:00", NOON),
        ("2026-11-22T12:00Z", NOON),
        ("2026-11-22T12:00:00.5Z", NOON.replace(microsecond=500_000)),
        ("2026-11-22T12:00:00.123456789012Z", NOON.replace(microsecond=123_456)),
        ("2026-11-22T12:00:00,25Z", NOON.replace(microsecond=250_000)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60.5Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2017-01-01T00:59:60+01:00", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_rfc_3339_writes_it(text, at):
    assert moments.read(text) == at
    assert moments.read(text).tzinfo is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        None,
        5,
        "2026-11-22",
        "2026-11-22x12:00:00Z",
        "2026-13-22T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T12:60:00Z",
        "2026-11-22T12:00:61Z",
        "2026-11-22T12:00:60Z",
        "2026-11-22T12:00:00+25:00",
        "2026-11-22T12:00:00.Z",
        "20261122T120000Z",
        "2026-W47-7T12:00:00Z",
        "2026-11-22T12:00:00Z ",
        "\uff12026-11-22T12:00:00Z",
        "9999-12-31T23:59:60Z",
    ],
)
def test_a_text_that_is_not_a_time_is_none(text):
    assert moments.read(text) is None


def test_a_time_without_an_offset_stays_without():
    assert moments.read("2026-11-22T12:00:00") == datetime(2026, 11, 22, 12)


class In:
    def __init__(self, time_zone: str) -> None:
        self.time_zone = time_zone


@pytest.mark.parametrize(
    ("zone", "day", "begin", "hours"),
    [
        ("Europe/Berlin", date(2026, 11, 22), "2026-11-21T23:00Z", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00Z", 23),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00Z", 25),
        # Clocks skip midnight, and go back over it.
        ("America/Santiago", date(2026, 9, 6), "2026-09-06T04:00Z", 23),
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00Z", 25),
        ("Asia/Tokyo", date(2026, 1, 1), "2025-12-31T15:00Z", 24),
    ],
)
def test_a_day_is_as_long_as_it_is_where_the_organization_is(zone, day, begin, hours):
    first, last = moments.begin(day, In(zone)), moments.end(day, In(zone))
    assert first == moments.read(begin)
    assert last.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=hours)
    assert last == moments.begin(day + timedelta(days=1), In(zone))


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_days_at_the_ends_of_time_do_no_harm(day):
    assert moments.begin(day, In("Pacific/Kiritimati")).astimezone(UTC) <= moments.end(
        day, In("Pacific/Niue")
    ).astimezone(UTC)


@pytest.fixture
def tokyo(organization):
    organization.time_zone = "Asia/Tokyo"
    organization.save(update_fields=["time_zone"])
    return organization


@pytest.fixture
def around(tokyo, device) -> list[str]:
    """Messages and events a second before, in and after the 22nd of November in Tokyo; the labels of those in it."""
    begin, end = moments.begin(date(2026, 11, 22), tokyo), moments.end(date(2026, 11, 22), tokyo)
    second = timedelta(seconds=1)
    times = {"before": begin - second, "first": begin, "last": end - second, "after": end}
    for name, at in times.items():
        Message.objects.create(organization=tokyo, device=device, name=name, data=1, at=at)
        Event.objects.create(
            organization=tokyo,
            at=at,
            kind="device.edited",
            subject_kind="device",
            subject_id=device.pk,
            subject_label=name,
            actor_label="Alice",
        )
    return ["first", "last"]


@pytest.mark.django_db
def test_a_day_is_the_organizations_in_every_list_and_export(around, alice, device, client_for):
    alice.time_zone = "America/New_York"
    alice.save(update_fields=["time_zone"])
    client, days = client_for(alice), {"since": "2026-11-22", "until": "2026-11-22"}
    activity = client.get(reverse("console:activity_list"), days)
    assert sorted(event.subject_label for event in activity.context["page"].rows) == around
    page = client.get(reverse("devices:message_list", args=[device.pk]), days)
    assert sorted(row.name for row in page.context["page"].rows) == around
    caller = Caller(key_of(alice))
    assert sorted(row["subject_label"] for row in caller.get("/events", **days).json()["results"]) == around
    between = {"from": "2026-11-22", "to": "2026-11-22"}
    found = caller.get(f"/devices/{device.pk}/messages", **between).json()["results"]
    assert sorted(row["name"] for row in found) == around
    exact = {"from": "2026-11-22 00:00:00+09:00", "to": "2026-11-23t00:00:00.000000000 09:00"}
    found = caller.get(f"/devices/{device.pk}/messages", **exact).json()["results"]
    assert sorted(row["name"] for row in found) == around


@pytest.mark.django_db
def test_a_day_is_the_organizations_in_the_portal(around, dana, customer, device, client_for, alice):
    ownership.assign([device.pk], customer=customer, by=factories.actor_of(alice))
    Ownership.objects.update(started_at=moments.read("2026-11-01T00:00Z"))
    Message.objects.update(project=projects.default_of(customer))
    dana.time_zone = "America/New_York"
    dana.save(update_fields=["time_zone"])
    page = client_for(dana).get(
        reverse("portal:message_list", args=[device.pk]), {"since": "2026-11-22", "until": "2026-11-22"}
    )
    assert sorted(row.name for row in page.context["page"].rows) == around


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["2026-11-31", "2026-11-22T12:00:00", "tomorrow", "0000-00-00"])
def test_a_text_that_is_neither_a_time_nor_a_day_is_reported(text, alice, device):
    answer = Caller(key_of(alice)).get(f"/devices/{device.pk}/messages", **{"from": text})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "from"


@pytest.mark.django_db
def test_a_period_of_one_day_is_no_empty_one_and_a_backward_one_is_refused(alice, device):
    caller = Caller(key_of(alice))
    url = f"/devices/{device.pk}/messages"
    assert caller.get(url, **{"from": "2026-11-22", "to": "2026-11-22"}).status_code == 200
    assert caller.get(url, **{"from": "2026-11-23", "to": "2026-11-22"}).status_code == 422
