"""A device changes owner while its messages are read, published or requested: who sees what then."""

from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from console import operations
from console.access import Permission
from console.export import newest_first
from devices import ledger
from devices.actions import ownership, undo
from devices.acts import Act
from devices.calls import actions as calls
from devices.messages import actions as messages
from devices.messages.actions import Publisher
from devices.messages.ledger_check import check
from devices.messages.window import Draft, Json
from devices.models import Call, Message, Ownership
from devices.models import call as call_model
from devices.models import message as message_model
from devices.models.message import MessageQuerySet
from tests import factories
from tests.devices.telling import T0, deafen_ledger, publisher, tell

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def owned(device, customer, by):
    """Dana's device, with one message."""
    ownership.assign([device.pk], customer=customer, by=by)
    say(device, "of dana")
    return device


@pytest.fixture
def hand_over(owned, other_customer, by):
    """Assign the device to Erin, and publish at once."""

    def move() -> None:
        ownership.unclaim([owned.pk], reason="Sold", by=by)
        ownership.assign([owned.pk], customer=other_customer, by=by)
        say(owned, "of erin")

    return move


@pytest.fixture
def meanwhile(monkeypatch, hand_over):
    """Change the owner after the spans were read and before the messages are."""
    read = message_model.spans_of

    def spans_of(actor, device):
        found = read(actor, device)
        monkeypatch.setattr(message_model, "spans_of", read)
        hand_over()
        return found

    monkeypatch.setattr(message_model, "spans_of", spans_of)


def say(device, text):
    """Publish, whatever this process took from the ledger before."""
    at = max(timezone.now(), *device.ownership_spans.values_list("started_at", flat=True))
    span = Ownership.objects.get(device=device, ended_at=None)
    told = Publisher(device.pk, device.organization_id, span.project_id)
    messages.publish([Draft("note", Json(f'"{text}"'), None)], by=told, at=at)


def as_it_was(self, spans):
    """Return the window with the ends that the spans had when they were read."""
    wanted = Q()
    for span in spans:
        ends = Q(at__lt=span.ended_at) if span.ended_at else Q()
        wanted |= Q(device=span.device_id, at__gte=span.started_at) & ends
    return self.filter(wanted) if wanted else self.none()


def texts(answer):
    return answer.getvalue().decode() if answer.streaming else answer.content.decode()


EXITS = ["api list", "api file", "portal list", "portal file"]


def read(which, device, caller, client):
    paths = {
        "api list": f"/devices/{device.pk}/messages",
        "api file": f"/devices/{device.pk}/messages.csv",
        "portal list": f"/portal/devices/{device.pk}/messages/",
        "portal file": f"/portal/devices/{device.pk}/messages/export/",
    }
    return (caller if which.startswith("api") else client).get(paths[which])


@pytest.mark.parametrize("which", EXITS)
def test_a_handover_while_messages_are_read_reveals_nothing_of_the_next_owner(
    which, owned, mine, dana, client_for, meanwhile
):
    text = texts(read(which, owned, mine, client_for(dana)))
    assert Message.objects.count() == 2
    assert ("of dana" in text, "of erin" in text) == (True, False)


@pytest.mark.parametrize("which", EXITS)
def test_with_outdated_span_ends_the_next_owners_message_would_be_visible(
    which, owned, mine, dana, client_for, meanwhile, monkeypatch
):
    """The negative control."""
    monkeypatch.setattr(MessageQuerySet, "within", as_it_was)
    monkeypatch.setattr(MessageQuerySet, "before_handovers", lambda self, actor: self)
    assert "of erin" in texts(read(which, owned, mine, client_for(dana)))


@pytest.mark.parametrize(("is_guarded", "shown"), [(True, False), (False, True)])
def test_a_handover_before_the_first_row_of_a_file_is_written(is_guarded, shown, owned, mine, hand_over, monkeypatch):
    """The second case is the negative control."""
    if not is_guarded:
        monkeypatch.setattr(MessageQuerySet, "within", as_it_was)
        monkeypatch.setattr(MessageQuerySet, "before_handovers", lambda self, actor: self)
    file = mine.get(f"/devices/{owned.pk}/messages.csv")
    hand_over()
    text = texts(file)
    assert ("of dana" in text, "of erin" in text) == (True, shown)


@pytest.mark.parametrize(("is_guarded", "rest"), [(True, [2, 1]), (False, [4, 3, 2, 1])])
def test_a_handover_between_two_chunks_of_a_file(
    is_guarded, rest, device, customer, other_customer, dana, by, monkeypatch
):
    """It took effect three minutes after the start, and is known only now. The second case is the negative control."""
    deafen_ledger(monkeypatch)
    if not is_guarded:
        monkeypatch.setattr(MessageQuerySet, "within", as_it_was)
    ownership.assign([device.pk], customer=customer, by=by, at=T0)
    told = publisher(device)
    for n in range(1, 7):
        tell(device, T0 + n * MINUTE, data=n, by=told)
    rows = newest_first(Message.objects.visible_to(factories.actor_of(dana), device=device), 2, key="at")
    assert [next(rows).data, next(rows).data] == [6, 5]
    ledger.transfer(
        [device.pk],
        Act(by, at=T0 + 3 * MINUTE),
        source=customer,
        customer=other_customer,
        project=other_customer.projects.get(),
    )
    assert [row.data for row in rows] == rest


def test_reading_stops_when_a_share_ends(device, customer, dana, by, monkeypatch):
    deafen_ledger(monkeypatch)
    ledger.share([device.pk], Act(by, at=T0), customer=customer, project=customer.projects.get(), reason="claim")
    told = publisher(device)
    for n in (1, 2):
        tell(device, T0 + n * MINUTE, data=n, by=told)
    rows = Message.objects.visible_to(factories.actor_of(dana), device=device).order_by("at")
    share = device.sharedaccess_spans.get()
    ledger.end_share([share.pk], Act(by, at=T0 + 2 * MINUTE), reason="unclaim")
    assert [row.data for row in rows] == [1]


def test_a_message_without_its_project_is_repaired_however_many_came_since(owned, make_devices, customer, by):
    (loud,) = make_devices(1)
    slipped = Message.objects.get()
    Message.objects.update(project=None)
    Message.objects.bulk_create(
        [
            Message(organization=loud.organization, device=loud, name="x", data=1, at=timezone.now())
            for _n in range(20_001)
        ]
    )
    assert len(list(check())) == 1
    assert messages.settle_recent() == 1
    slipped.refresh_from_db()
    assert slipped.project == customer.projects.get()
    assert list(check()) == []


def test_the_cost_of_repairing_messages_depends_on_the_number_of_handovers(
    make_devices, customer, by, django_assert_num_queries
):
    ids = [device.pk for device in make_devices(3)]
    with django_assert_num_queries(1):
        assert messages.settle_recent() == 0
    ownership.assign(ids, customer=customer, by=by)
    with django_assert_num_queries(4):
        assert messages.settle_recent() == 0
    with django_assert_num_queries(1):
        assert messages.settle_recent(timezone.now() + messages.RECENT + MINUTE) == 0


def test_each_handover_is_found_even_if_it_was_undone(device, customer, by):
    def bulk(what, permission, **payload):
        return operations.perform(
            f"device.{what}",
            what,
            by=by,
            permission=permission,
            total=1,
            payload={"ids": [device.pk], **payload},
        )

    given = {"customer": customer.pk, "note": ""}
    ids, done = [device.pk], {}
    for step in (
        lambda: done.update(given=bulk("assign", Permission.DEVICE_ASSIGN, **given)),
        lambda: undo.undo_assign(ids, undone=done["given"], by=by),
        lambda: ownership.assign(ids, customer=customer, by=by),
        lambda: done.update(taken=bulk("unclaim", Permission.DEVICE_UNCLAIM, reason="x")),
        lambda: undo.undo_unclaim(ids, undone=done["taken"], by=by),
    ):
        since = timezone.now()
        assert messages.changed_hands(since) == []
        step()
        assert messages.changed_hands(since) == ids
    assert type(device).objects.get().customer == customer


def test_frequent_events_without_a_handover_are_ignored(owned, by, dana):
    since = timezone.now()
    asked(owned, factories.actor_of(dana))
    assert messages.changed_hands(since) == []


def asked(device, actor, **how):
    return calls.ask(device, kind="variable", name="battery", by=actor, **how)


def over(device, customer, other_customer, by, **how):
    ledger.transfer(
        [device.pk], Act(by, **how), source=customer, customer=other_customer, project=other_customer.projects.get()
    )


def seen(user):
    return list(Call.objects.visible_to(factories.actor_of(user)).order_by("pk"))


def test_the_caller_sees_that_the_handover_cancelled_the_call_but_nothing_else(
    owned, customer, other_customer, dana, erin, charlie, by, mine
):
    call, of_staff = asked(owned, factories.actor_of(dana)), asked(owned, by, timeout=300)
    over(owned, customer, other_customer, by)
    hers = asked(type(owned).objects.get(), factories.actor_of(erin))
    span = owned.ownership_spans.get(customer=customer)
    answer = mine.get(f"/devices/{owned.pk}/calls/{call.pk}")
    assert (answer.status_code, answer.json()["state"], answer.json()["result"]) == (200, "cancelled", None)
    call.refresh_from_db()
    assert call.ended_at == span.ended_at
    told = publisher(owned)
    calls.deliver(by=told)
    calls.answer(of_staff.pk, by=told, result="after")
    # This call was made in Dana's time too, but answered in the next owner's.
    assert seen(dana) == [call]
    assert seen(erin) == [hers]
    assert seen(charlie) == []
    assert [row["id"] for row in mine.get(f"/devices/{owned.pk}/calls").json()["results"]] == [call.pk]


def test_without_the_check_of_the_end_the_caller_would_not_find_the_call(
    owned, customer, other_customer, dana, by, monkeypatch
):
    """The negative control."""
    asked(owned, factories.actor_of(dana))
    over(owned, customer, other_customer, by)
    monkeypatch.setattr(call_model, "_broken_off", lambda spans: spans.none())
    assert seen(dana) == []


def test_a_call_answered_at_the_instant_of_the_handover_belongs_to_the_next_owner(
    owned, customer, other_customer, dana, by
):
    call = asked(owned, factories.actor_of(dana))
    over(owned, customer, other_customer, by)
    Call.objects.filter(pk=call.pk).update(state="answered", result=Json('"secret"'))
    assert seen(dana) == []


def test_a_call_cancelled_by_the_handover_is_only_visible_to_the_customer_who_made_it(
    owned, customer, other_customer, dana, erin, by
):
    call = asked(owned, factories.actor_of(dana))
    over(owned, customer, other_customer, by)
    Call.objects.filter(pk=call.pk).update(customer=other_customer)
    assert seen(dana) == seen(erin) == []
