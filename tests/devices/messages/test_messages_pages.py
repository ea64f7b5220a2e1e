"""The pages of messages, calls and secrets in the console, and of messages in the portal."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from devices import ledger
from devices.acts import Act
from devices.calls import actions as calls
from devices.messages.actions import Publisher
from devices.models import Call, Device, Message
from tests import factories
from tests.devices.telling import T0, Unit, fresh, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(device, customer, alice):
    ledger.assign(
        [device.pk],
        Act(factories.actor_of(alice), at=T0),
        customer=customer,
        project=customer.projects.get(),
        reason="assignment",
    )
    return Publisher(device.pk, device.organization_id, customer.projects.get().pk, T0)


def rows_of(answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_the_list_is_filtered_by_name_and_day_and_paged(told, device, client_for, bob):
    for n in range(60):
        tell(device, T0 + timedelta(hours=n), name="temp" if n % 2 else "hum", data={"n": n}, by=told)
    client, url = client_for(bob), reverse("devices:message_list", args=[device.pk])
    first = client.get(url).content.decode()
    assert "1–50 of 60" in first
    assert "{&quot;n&quot;: 59}" in first
    following = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    assert "51–60 of 60" in client.get(url + following).content.decode()
    assert "1–30 of 30" in client.get(url, {"name": "temp"}).content.decode()
    assert "1–12 of 12" in client.get(url, {"until": "2026-11-01"}).content.decode()
    assert "1–24 of 24" in client.get(url, {"since": "2026-11-02", "until": "2026-11-02"}).content.decode()
    assert "No messages match" in client.get(url, {"name": "Temp"}).content.decode()


def test_the_list_takes_few_queries(told, device, client_for, bob):
    for n in range(3):
        tell(device, T0 + timedelta(hours=n), by=told)
    client, url = client_for(bob), reverse("devices:message_list", args=[device.pk])
    client.get(url)
    with CaptureQueriesContext(connection) as caught:
        client.get(url)
    assert len(caught) <= 8


def test_device_data_is_shown_as_text_and_never_as_markup(told, device, client_for, bob):
    tell(device, data="<script>alert(1)</script>", by=told)
    for url in (reverse("devices:message_list", args=[device.pk]), device.get_absolute_url()):
        page = client_for(bob).get(url).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_export_has_the_exact_time_and_no_formulas(told, device, client_for, bob):
    tell(device, T0 + timedelta(microseconds=7), name="x", data="=1+1", by=told)
    tell(device, T0 + timedelta(hours=1), name="y", data=-5, by=told)
    url = reverse("devices:message_export", args=[device.pk])
    assert rows_of(client_for(bob).get(url))[1:] == [
        ["2026-11-01T13:00:00.000000Z", "", device.serial_number, "y", "-5"],
        ["2026-11-01T12:00:00.000007Z", "", device.serial_number, "x", '"=1+1"'],
    ]
    assert len(rows_of(client_for(bob).get(url, {"name": "y"}))) == 2
    xlsx = client_for(bob).get(url, {"format": "xlsx"})
    assert b"".join(xlsx.streaming_content)[:2] == b"PK"


def test_the_page_of_the_device_shows_messages_calls_and_firmware(told, device, client_for, bob, member):
    unit = Unit(device)
    unit.post("messages", {"name": "env/temp", "data": {"c": 21}})
    unit.post("state", {"firmware_version": "2.4.1"})
    calls.ask(device, kind="variable", name="voltage", by=factories.actor_of(bob))
    page = client_for(bob).get(device.get_absolute_url()).content.decode()
    for text in (
        "env/temp",
        "{&quot;c&quot;: 21}",
        "Firmware 2.4.1",
        "voltage",
        "Call…",
        "New secret…",
        "All messages",
    ):
        assert text in page, text
    page = client_for("viewer").get(device.get_absolute_url()).content.decode()
    assert "env/temp" in page
    assert "Call…" not in page and "New secret…" not in page


def test_a_call_is_made_on_a_page_and_its_answer_appears(device, client_for, bob):
    client, unit = client_for(bob), Unit(device)
    url = reverse("devices:call_create", args=[device.pk])
    assert client.post(url, {"kind": "variable", "name": "a b", "timeout": "30"}).status_code == 422
    assert client.post(url, {"kind": "variable", "name": "volt", "timeout": "301"}).status_code == 422
    assert not Call.objects.exists()
    answer = client.post(url, {"kind": "function", "name": "volt", "argument": "<b>", "timeout": "30"})
    call = Call.objects.get()
    assert (answer.status_code, answer.url) == (302, call.get_absolute_url())
    waiting = client.get(answer.url).content.decode()
    assert 'hx-trigger="every 1s"' in waiting and 'http-equiv="refresh"' in waiting
    unit.get("calls")
    assert "Delivered" in client.get(answer.url).content.decode()
    unit.post(f"calls/{call.pk}", {"result": {"v": "<i>3.3"}})
    part = client.get(answer.url, headers={"HX-Request": "true", "HX-Target": "call"}).content.decode()
    assert part.lstrip().startswith('<section id="call"')
    assert "hx-get" not in part and "&lt;i&gt;3.3" in part and "<i>3.3" not in part
    assert "volt" in client.get(url).content.decode()


def test_a_timed_out_call_is_shown_as_such_before_it_is_recorded(device, client_for, bob):
    call = calls.ask(device, kind="variable", name="volt", timeout=1, by=factories.actor_of(bob), at=T0)
    page = client_for(bob).get(call.get_absolute_url()).content.decode()
    assert "Timed out" in page and "hx-get" not in page.split('id="call"')[1][:200]


def test_a_new_secret_is_shown_once_and_works(device, client_for, bob):
    client, url = client_for(bob), reverse("devices:device_secret", args=[device.pk])
    assert "data-secret" not in client.get(url).content.decode()
    assert fresh(device).secret_sha256 == ""
    answer = client.post(url, follow=True)
    secret = re.search(r"data-secret>([\w-]{43})<", answer.content.decode())[1]
    assert "no-store" in answer["Cache-Control"]
    assert Unit(device, secret).get("state").status_code == 200
    assert secret not in client.get(url).content.decode()
    assert secret not in client.get(reverse("console:activity_list")).content.decode()


def test_an_archived_device_cannot_get_a_secret(device, client_for, bob):
    Device.objects.filter(pk=device.pk).update(archived_at=T0)
    assert client_for(bob).post(reverse("devices:device_secret", args=[device.pk])).status_code == 404
    assert fresh(device).secret_sha256 == ""


def test_the_portal_lists_ones_own_messages_in_german(told, device, client_for, dana):
    tell(device, T0 + timedelta(hours=1), name="temp", data={"c": 21}, by=told)
    url = reverse("portal:message_list", args=[device.pk])
    page = client_for(dana).get(url, headers={"accept-language": "de"}).content.decode()
    assert "Nachrichten" in page and "temp" in page and "{&quot;c&quot;: 21}" in page
    assert (
        "Keine Nachricht passt"
        in client_for(dana).get(url, {"name": "x"}, headers={"accept-language": "de"}).content.decode()
    )
    assert url in client_for(dana).get(reverse("portal:device_detail", args=[device.pk])).content.decode()


def test_the_portal_pages_a_projects_messages_by_name_and_day(told, device, customer, client_for, dana):
    for n in range(30):
        tell(device, T0 + timedelta(hours=n), name="temp", data=n, by=told)
    url = reverse("portal:message_project_list", args=[customer.projects.get().pk])
    page = client_for(dana).get(url).content.decode()
    assert re.findall(r"<code>(\d+)</code>", page) == [str(n) for n in range(29, 4, -1)]
    following = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert re.findall(r"<code>(\d+)</code>", client_for(dana).get(url + following).content.decode()) == [
        "4",
        "3",
        "2",
        "1",
        "0",
    ]
    assert device.serial_number in page
    url = reverse("portal:message_project_export", args=[customer.projects.get().pk])
    export = client_for(dana).get(url, {"until": "2026-11-01"})
    assert len(rows_of(export)) == 13


def test_a_former_owner_keeps_messages_from_their_time_and_no_others(told, device, alice, client_for, dana):
    tell(device, T0 + timedelta(hours=1), data="his", by=told)
    ledger.release([device.pk], Act(factories.actor_of(alice), at=T0 + timedelta(hours=2)), reason="unclaim")
    tell(device, T0 + timedelta(hours=3), data="not his")
    page = client_for(dana).get(reverse("portal:message_list", args=[device.pk])).content.decode()
    assert "&quot;his&quot;" in page and "not his" not in page
    assert Message.objects.count() == 2
