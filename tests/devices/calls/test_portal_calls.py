"""Calls in the portal: the owner's admins and operators make them, and everybody reads those of their own span."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from claims.portal import calls as portal_calls
from console.models import Event
from customers.models import CustomerUser
from devices import ledger
from devices.acts import Act
from devices.calls import actions as calls
from devices.calls import pages as call_pages
from devices.models import Call
from tests import factories
from tests.devices.telling import fresh, publisher

pytestmark = pytest.mark.django_db

ASKED = {"kind": "variable", "name": "battery", "argument": "", "timeout": "30"}


def at(name: str, *arguments) -> str:
    return reverse(f"portal:{name}", args=arguments)


def ask(device, by, name="voltage", **how) -> Call:
    return calls.ask(device, **{"kind": "variable", "name": name, "timeout": 300, "by": by, **how})


def answer(device, call, **what) -> None:
    calls.deliver(by=publisher(device))
    calls.answer(call.pk, by=publisher(device), **what)


def hand_over(device, customer, other, by) -> None:
    ledger.transfer([device.pk], Act(by), source=customer, customer=other, project=other.projects.get())


@pytest.mark.parametrize("role", ["admin", "operator"])
def test_admins_and_operators_can_call_and_the_page_waits_for_the_answer(role, client_for, customer, owned):
    person = factories.make_person(customer, "pat@aalen.example", role)
    client = client_for(person)
    assert at("call_create", owned.pk) in client.get(at("device_detail", owned.pk)).content.decode()
    made = client.post(at("call_create", owned.pk), ASKED)
    call = Call.objects.get()
    assert (made.status_code, made.url) == (302, at("call_detail", owned.pk, call.pk))
    assert (call.name, call.customer, call.by_user, call.state) == ("battery", customer, person, "waiting")
    event = Event.objects.get(kind="device.called")
    assert (event.organization, event.subject_id, event.actor_id) == (owned.organization, owned.pk, person.pk)
    html = client.get(made.url).content.decode()
    for part in (
        'hx-trigger="every 1s"',
        f'hx-get="{made.url}"',
        "/htmx",
        '<noscript><meta http-equiv="refresh" content="3"></noscript>',
    ):
        assert part in html
    answer(owned, call, result={"volts": 3.7})
    part = client.get(made.url, headers={"HX-Request": "true", "HX-Target": "call"}).content.decode()
    assert part.lstrip().startswith('<section id="call"')
    assert ("volts" in part, "hx-get" in part) == (True, False)
    html = client.get(made.url).content.decode()
    assert ("htmx" in html, "Query again…" in html) == (False, True)
    card = client.get(at("device_detail", owned.pk)).content.decode()
    assert "{&quot;volts&quot;: 3.7}" in card
    assert "pat@aalen.example" in card


def test_a_viewer_can_read_answers_but_not_call(client_for, customer, owned, by):
    client = client_for(factories.make_person(customer, "view@aalen.example", "viewer"))
    page = client.get(at("device_detail", owned.pk)).content.decode()
    assert "Query the device" not in page
    answer(owned, ask(owned, by), result=12)
    page = client.get(at("device_detail", owned.pk)).content.decode()
    assert ("Queries to this device" in page, "<code>12</code>" in page) == (True, True)
    call, events = Call.objects.get(), Event.objects.count()
    assert "Query again…" not in client.get(at("call_detail", owned.pk, call.pk)).content.decode()
    assert at("call_create", owned.pk) not in client.get(at("call_list", owned.pk)).content.decode()
    for method in ("get", "post"):
        assert getattr(client, method)(at("call_create", owned.pk), ASKED).status_code == 404
    assert (Call.objects.count(), Event.objects.count()) == (1, events)


def test_the_action_refuses_a_viewer_even_without_the_check_of_the_page(client_for, customer, owned, monkeypatch):
    """The check exists twice: with that of the page patched out, the form appears but calls nothing."""
    monkeypatch.setattr(portal_calls, "must_ask", lambda actor, device: None)
    client = client_for(factories.make_person(customer, "view@aalen.example", "viewer"))
    made = client.post(at("call_create", owned.pk), ASKED)
    assert (made.status_code, escape("You don't have permission to call this device.") in made.content.decode()) == (
        422,
        True,
    )
    assert not Call.objects.exists()


def test_without_both_checks_a_viewer_could_call(client_for, customer, owned, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(portal_calls, "must_ask", lambda actor, device: None)
    monkeypatch.setattr(calls, "may_ask", lambda by, device: True)
    client = client_for(factories.make_person(customer, "view@aalen.example", "viewer"))
    assert client.post(at("call_create", owned.pk), ASKED).status_code == 302
    assert Call.objects.count() == 1


def test_people_with_shared_access_and_project_members_cannot_call(
    client_for, customer, other_customer, erin, owned, by
):
    project = other_customer.projects.get()
    ledger.share([owned.pk], Act(by), customer=other_customer, project=project, reason="claim")
    guest = factories.make_person(other_customer, "guest@example.com")
    CustomerUser.objects.filter(user=guest).update(removed_at=timezone.now())
    factories.let_in(customer.projects.get(), guest)
    for person in (erin, guest):
        client = client_for(person)
        assert "Query the device" not in client.get(at("device_detail", owned.pk)).content.decode()
        assert client.post(at("call_create", owned.pk), ASKED).status_code == 404
    assert not Call.objects.exists()


def test_the_device_of_another_customer_is_not_found(client_for, erin, charlie, alice, owned, by):
    call = ask(owned, by)
    events = Event.objects.count()
    for stranger in (erin, charlie, alice):
        client = client_for(stranger)
        for address in (at("call_list", owned.pk), at("call_detail", owned.pk, call.pk), at("call_create", owned.pk)):
            assert client.get(address).status_code == 404, address
        assert client.post(at("call_create", owned.pk), ASKED).status_code == 404
    assert (Call.objects.count(), Event.objects.count()) == (1, events)


def test_a_call_is_only_found_under_its_own_device(client_for, dana, customer, owned, make_devices, by):
    (other,) = make_devices(1)
    ledger.assign([other.pk], Act(by), customer=customer, project=customer.projects.get(), reason="assignment")
    call = ask(owned, by)
    client = client_for(dana)
    assert client.get(at("call_detail", owned.pk, call.pk)).status_code == 200
    assert client.get(at("call_detail", other.pk, call.pk)).status_code == 404


def test_after_a_handover_each_owner_sees_the_calls_of_their_own_span(
    client_for, dana, erin, customer, other_customer, owned, by
):
    old = ask(owned, factories.actor_of(dana), "his_secret")
    answer(owned, old, result="his answer")
    hand_over(owned, customer, other_customer, by)
    new = ask(fresh(owned), factories.actor_of(erin), "her_secret")
    answer(fresh(owned), new, result="her answer")
    for person, mine, other in ((dana, old, new), (erin, new, old)):
        client = client_for(person)
        page = client.get(at("call_list", owned.pk)).content.decode()
        assert (mine.name in page, other.name in page) == (True, False)
        assert mine.get_kind_display() in client.get(at("call_detail", owned.pk, mine.pk)).content.decode()
        assert client.get(at("call_detail", owned.pk, other.pk)).status_code == 404
    assert client_for(dana).get(at("device_detail", owned.pk)).status_code == 404
    assert client_for(dana).post(at("call_create", owned.pk), ASKED).status_code == 404
    page = client_for(erin).get(at("device_detail", owned.pk)).content.decode()
    assert ("her answer" in page, "his" in page.replace("history", "").replace("this", "")) == (True, False)


def test_without_the_window_the_new_owner_would_read_the_former_owners_calls(
    client_for, dana, erin, customer, other_customer, owned, by, monkeypatch
):
    """The negative control: all calls of the visible devices, whenever they were made."""
    ask(owned, factories.actor_of(dana), "his_secret")
    hand_over(owned, customer, other_customer, by)
    assert "his_secret" not in client_for(erin).get(at("call_list", owned.pk)).content.decode()
    monkeypatch.setattr(type(Call.objects.all()), "for_customer", lambda rows, actor: rows)
    assert "his_secret" in client_for(erin).get(at("call_list", owned.pk)).content.decode()


def test_an_open_page_stops_polling_when_the_device_changes_owner(
    client_for, dana, customer, other_customer, owned, by
):
    call = ask(owned, factories.actor_of(dana))
    hand_over(owned, customer, other_customer, by)
    Call.objects.filter(pk=call.pk).update(state="answered", result="late", ended_at=timezone.now() + timedelta(1))
    client, address = client_for(dana), at("call_detail", owned.pk, call.pk)
    part = client.get(address, headers={"HX-Request": "true", "HX-Target": "call"})
    assert (part.status_code, part["HX-Refresh"], part.content) == (200, "true", b"")
    assert client.get(address).status_code == 404


def test_customers_cannot_read_the_names_of_staff(client_for, dana, owned, by):
    staff, owner = ask(owned, by), ask(owned, factories.actor_of(dana))
    rows = call_pages.newest(factories.actor_of(dana), owned, 5)
    assert [row.asker for row in rows] == ["dana@aalen.example", "Northlake"]
    client = client_for(dana)
    for address in (
        at("device_detail", owned.pk),
        at("call_list", owned.pk),
        at("call_detail", owned.pk, staff.pk),
        at("call_detail", owned.pk, owner.pk),
    ):
        assert "Alice" not in client.get(address).content.decode()
    assert [row.asker for row in call_pages.newest(by, owned, 5)] == ["dana@aalen.example", "Alice Kemp"]


def test_people_with_shared_access_cannot_read_the_owners_calls(client_for, dana, erin, other_customer, owned, by):
    project = other_customer.projects.get()
    ledger.share([owned.pk], Act(by), customer=other_customer, project=project, reason="claim")
    call = ask(owned, factories.actor_of(dana), kind="function", argument="password=hunter2")
    ask(owned, by)
    client = client_for(erin)
    assert client.get(at("device_detail", owned.pk)).status_code == 200
    assert "hunter2" not in client.get(at("device_detail", owned.pk)).content.decode()
    assert client.get(at("call_detail", owned.pk, call.pk)).status_code == 404
    assert not Call.objects.visible_to(factories.actor_of(erin)).exists()


@pytest.mark.parametrize("number", [2**63, 10**20])
def test_an_unknown_device_number_is_not_found(client_for, dana, number):
    assert client_for(dana).get(f"/portal/devices/{number}/calls/1/").status_code == 404


@pytest.mark.parametrize("field", ["name", "kind", "timeout", "argument"])
def test_an_invalid_value_is_refused_at_its_field_and_calls_nothing(field, client_for, dana, owned):
    bad = {"name": "a b", "kind": "secret", "timeout": "301", "argument": "x" * 2000}[field]
    made = client_for(dana).post(at("call_create", owned.pk), ASKED | {field: bad})
    assert (made.status_code, list(made.context["form"].errors)) == (422, [field])
    assert not Call.objects.exists()


def test_answers_of_a_device_are_shown_as_text(client_for, dana, owned, by):
    call = ask(owned, by)
    answer(owned, call, result="<script>alert(1)</script>")
    for address in (at("device_detail", owned.pk), at("call_list", owned.pk), at("call_detail", owned.pk, call.pk)):
        page = client_for(dana).get(address).content.decode()
        assert ("<script>alert" in page, "&lt;script&gt;alert" in page) == (False, True)


def test_german_readers_get_german_pages(client_for, dana, owned, by):
    call, client = ask(owned, by), client_for(dana)
    headers = {"accept-language": "de"}
    for address, expected in (
        (at("device_detail", owned.pk), "Das Gerät fragen"),
        (at("call_list", owned.pk), "Aufrufe"),
        (at("call_create", owned.pk), "Eine Variable lesen"),
        (at("call_detail", owned.pk, call.pk), "Die Antwort erscheint hier."),
    ):
        page = client.get(address, headers=headers).content.decode()
        assert ('<html lang="de">' in page, expected in page, "Wartet" in page) == (True, True, True)
    made = client.post(at("call_create", owned.pk), ASKED | {"name": "a b"}, headers=headers)
    assert "Der Name hat nur Buchstaben" in made.content.decode()
