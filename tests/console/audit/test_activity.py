"""The audit log as sentences: one list, on the page of each object, and as a file."""

import csv
import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from claims.redemption import events as claim_events
from console.audit import describe, kinds, record
from console.models import Event, Member
from console.people import events as member_events
from customers import events as customer_events
from devices import events as device_events
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/activity/"


@pytest.fixture
def owner(client_for, alice):
    return client_for(alice)


def text_of(event: Event, reader) -> str:
    from django.utils.html import strip_tags

    return strip_tags(describe.sentence(event, reader).text)


def shown(response) -> list[int]:
    return [event.pk for event in response.context["page"].rows]


def test_an_event_reads_as_a_sentence_with_links(by, device, customer):
    event = record(device_events.ASSIGNED, device, by=by, about=customer, note="Order 7")
    said = describe.sentence(event, by)
    assert text_of(event, by) == "Alice Kemp assigned AQM26-100000 to Stadtwerke Aalen"
    assert f'href="{device.get_absolute_url()}"' in said.text
    assert f'href="{customer.get_absolute_url()}"' in said.text
    assert (said.note, said.icon, said.changes, said.details) == ("Order 7", "user-plus", [], [])


@pytest.mark.parametrize("kind", kinds.registry.declared)
def test_every_known_kind_reads_well(by, device, customer, kind):
    words = text_of(record(kind, device, by=by, about=customer), by)
    assert "{" not in words
    assert ":" not in words
    bare = text_of(record(kind, device, by=by), by)
    assert "{" not in bare


def test_a_kind_that_nobody_knows_still_reads(by, device, customer):
    event = record(device_events.EDITED, device, by=by)
    event.kind = "device.sent_to_moon"
    assert text_of(event, by) == "Alice Kemp: Sent to moon, AQM26-100000"
    event = record(device_events.EDITED, device, by=by, about=customer)
    event.kind = "thing.lost"
    assert text_of(event, by) == "Alice Kemp: Lost, AQM26-100000, Stadtwerke Aalen"


def test_changes_are_described_with_the_labels_of_fields_and_choices(by, device):
    event = record(
        device_events.EDITED,
        device,
        by=by,
        notes=["", "x" * 100],
        status=["in_stock", "owned"],
        is_development=[False, True],
        imei=[None, "1"],
        tags=[["a"], ["a", "b"]],
    )
    changes = {name: (old, new) for name, old, new in describe.sentence(event, by).changes}
    assert changes["Notes"] == ("—", "x" * 79 + "…")
    assert changes["Status"] == ("In stock", "Owned")
    assert ("no", "yes") in changes.values()
    assert changes["Tags"] == ("a", "a, b")


def test_what_is_given_is_no_change_even_if_it_is_two(by, device):
    said = describe.sentence(record(claim_events.CLAIM_CREATED, device, by=by, given=["one", "two"]), by)
    assert (said.changes, said.details) == ([], [("Set", "one, two")])


def test_readers_get_no_links_to_pages_they_may_not_open(by, actor, bob):
    event = record(member_events.EDITED, Member.objects.get(user=bob), by=by)
    assert "href" in describe.sentence(event, by).text
    assert "href" not in describe.sentence(event, actor("viewer")).text


def test_names_are_text_and_never_markup(owner, by, product):
    device = factories.make_device(product, "AQM26-1")
    record(device_events.EDITED, device, by=by, note="<script>alert(1)</script>", notes=["<b>", "<img src=x>"])
    Event.objects.bulk_create(
        [
            Event(
                organization=by.organization,
                kind="<i>.{x}",
                subject_kind="device",
                subject_id=1,
                subject_label="<script>",
                actor_label="{evil} <script>",
            )
        ]
    )
    html = owner.get(LIST).content.decode()
    for bad in ("<script>alert", "<img", "<i>", "<script></"):
        assert bad not in html


def test_the_newest_comes_first(owner, by, device):
    events = [record(device_events.EDITED, device, by=by) for _each in range(3)]
    assert shown(owner.get(LIST)) == [event.pk for event in reversed(events)]


def test_filters_choose_by_kind_subject_person_and_text(owner, by, actor, bob, device, customer):
    one = record(device_events.ASSIGNED, device, by=by, about=customer)
    two = record(customer_events.CUSTOMER_EDITED, customer, by=actor(bob))
    three = record(device_events.ARCHIVED, device, by=actor(bob))
    assert shown(owner.get(LIST, {"kind": "device.assigned"})) == [one.pk]
    assert shown(owner.get(LIST, {"subject": "device"})) == [three.pk, one.pk]
    assert shown(owner.get(LIST, {"who": bob.pk})) == [three.pk, two.pk]
    assert shown(owner.get(LIST, {"q": "aqm26-1000"})) == [three.pk, one.pk]
    assert shown(owner.get(LIST, {"q": "Stadtwerke"})) == [two.pk]
    assert shown(owner.get(LIST, {"about": f"customer:{customer.pk}"})) == [two.pk, one.pk]
    assert shown(owner.get(LIST, {"who": "system"})) == []


def test_the_chip_of_an_object_bears_its_name(owner, by, device):
    record(device_events.EDITED, device, by=by)
    html = owner.get(LIST, {"about": f"device:{device.pk}"}).content.decode()
    assert "About: AQM26-100000" in html
    assert "About" not in owner.get(LIST).content.decode()


def test_days_are_those_of_the_reader(owner, by, device, organization):
    organization.time_zone = "Asia/Tokyo"
    organization.save(update_fields=["time_zone"])
    before = record(device_events.EDITED, device, by=by, at=datetime(2026, 11, 1, 14, 59, tzinfo=UTC))
    after = record(device_events.EDITED, device, by=by, at=datetime(2026, 11, 1, 15, 0, tzinfo=UTC))
    assert shown(owner.get(LIST, {"since": "2026-11-02"})) == [after.pk]
    assert shown(owner.get(LIST, {"until": "2026-11-01"})) == [before.pk]
    assert shown(owner.get(LIST, {"since": "2026-11-02", "until": "2026-11-02"})) == [after.pk]


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "x"},
        {"subject": "x"},
        {"who": "x"},
        {"who": "9" * 30},
        {"about": "device"},
        {"about": "device:x"},
        {"about": "device:" + "9" * 30},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "x"},
        {"q": "%"},
        {"q": "x" * 5000},
        {"cursor": "x"},
        {"cursor": "eyJ4Ijox"},
        {"sort": "kind"},
        {"about": "\u0661:1"},
        {"who": "\u0661"},
    ],
)
def test_no_filter_is_an_error(owner, by, device, query):
    record(device_events.EDITED, device, by=by)
    assert owner.get(LIST, query).status_code == 200
    assert owner.get(reverse("console:activity_export"), query).status_code == 200


def test_the_log_of_others_is_not_shown(client_for, charlie, by, device, alice):
    record(device_events.EDITED, device, by=by)
    client = client_for(charlie)
    assert shown(client.get(LIST)) == []
    assert "AQM26" not in client.get(LIST, {"about": f"device:{device.pk}"}).content.decode()
    assert shown(client.get(LIST, {"who": alice.pk})) == []
    assert "Alice" not in client.get(LIST).content.decode()


def test_a_page_asks_a_fixed_number_of_questions(owner, by, device, customer, django_assert_max_num_queries):
    owner.get(LIST)
    for _each in range(60):
        record(device_events.ASSIGNED, device, by=by, about=customer)
    with django_assert_max_num_queries(8):
        response = owner.get(LIST)
    assert len(shown(response)) == 50
    assert len(response.content) < 60_000


def test_the_page_of_an_object_shows_its_history(owner, by, device, customer, product):
    for _each in range(25):
        record(device_events.ASSIGNED, device, by=by, about=customer)
    html = owner.get(device.get_absolute_url()).content.decode()
    assert html.count('class="event-icon"') == 20
    assert f"/activity/?about=device:{device.pk}" in html
    assert f'href="{device.get_absolute_url()}">AQM26' not in html
    assert owner.get(customer.get_absolute_url()).content.decode().count('class="event-icon"') == 20


def test_the_export_follows_the_filters(owner, by, device, customer):
    record(device_events.ASSIGNED, device, by=by, about=customer, note="=1+1")
    record(customer_events.CUSTOMER_EDITED, customer, by=by, name=["A", "B"])
    response = owner.get(reverse("console:activity_export"), {"subject": "device", "format": "csv"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="activity-{timezone.localdate():%Y-%m-%d}.csv"'
    rows = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert len(rows) == 2
    assert rows[1][1:9] == [
        "Alice Kemp",
        "device.assigned",
        "Device assigned",
        "device",
        str(device.pk),
        "AQM26-100000",
        "Stadtwerke Aalen",
        "'=1+1",
    ]


def test_the_export_is_an_excel_file_too(owner, by, customer):
    record(customer_events.CUSTOMER_EDITED, customer, by=by, name=["A", "B"], note="=1+1")
    response = owner.get(reverse("console:activity_export"), {"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(response.getvalue())).active
    cells = [cell.value for cell in list(sheet.rows)[1]]
    assert cells[1:5] == ["Alice Kemp", "customer.edited", "Customer edited", "customer"]
    assert cells[8:] == ["=1+1", "Name: A → B"]
    assert {cell.data_type for cell in list(sheet.rows)[1][1:]} <= {"s", "inlineStr", "n"}


def test_a_viewer_exports_nothing(client_for):
    assert client_for("viewer").get(reverse("console:activity_export")).status_code == 403


def test_an_export_reads_page_by_page(by, device):
    from console.export import newest_first

    events = [record(device_events.EDITED, device, by=by) for _each in range(7)]
    rows = newest_first(Event.objects.all(), size=3)
    assert [event.pk for event in rows] == [event.pk for event in reversed(events)]


def test_times_are_shown_in_the_readers_time_zone(owner, by, device, organization):
    organization.time_zone = "Asia/Tokyo"
    organization.save(update_fields=["time_zone"])
    record(device_events.EDITED, device, by=by, at=timezone.now() - timedelta(days=30))
    at = Event.objects.get().at
    rows = list(csv.reader(io.StringIO(owner.get(reverse("console:activity_export")).getvalue().decode("utf-8-sig"))))
    assert datetime.fromisoformat(rows[1][0]).utcoffset() == timedelta(hours=9)
    assert datetime.fromisoformat(rows[1][0]) == at.replace(microsecond=0)
