"""Who may read which message: one queryset method, the spans of the ledger, and the project stored with a message."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.access import ANONYMOUS, Actor
from customers.models import ProjectMember
from customers.people.roles import actor_for
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.messages import actions
from devices.messages import window as messages
from devices.messages.ledger_check import check
from devices.models import Message
from tests import factories
from tests.devices.telling import T0, TICK, deafen_ledger, publisher, tell

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def told(device):
    return publisher(device)


def own(device, customer, by, at):
    return ledger.assign(
        [device.pk], Act(by, at=at), customer=customer, project=customer.projects.get(), reason="assignment"
    )


def seen(user_or_actor, **how) -> list:
    who = user_or_actor if isinstance(user_or_actor, Actor) else factories.actor_of(user_or_actor)
    return list(Message.objects.visible_to(who, **how).order_by("at", "pk").values_list("data", flat=True))


@pytest.fixture
def handed_over(device, customer, other_customer, by):
    """Dana's from T0, Erin's from an hour later; a message a microsecond before, at and after each handover."""
    own(device, customer, by, T0)
    ledger.transfer(
        [device.pk],
        Act(by, at=T0 + HOUR),
        source=customer,
        customer=other_customer,
        project=other_customer.projects.get(),
    )
    told = actions.Publisher(device.pk, device.organization_id)
    for name, at in (
        ("stock", T0 - TICK),
        ("dana 1", T0),
        ("dana 2", T0 + HOUR - TICK),
        ("erin 1", T0 + HOUR),
        ("erin 2", T0 + HOUR + TICK),
    ):
        tell(device, at, data=name, by=told)
    actions.settle([device.pk], since=T0 - HOUR)
    return device


def test_each_message_is_only_visible_to_its_owner(handed_over, dana, erin, alice, bob, charlie):
    for how in ({}, {"device": handed_over}):
        assert seen(dana, **how) == ["dana 1", "dana 2"]
        assert seen(erin, **how) == ["erin 1", "erin 2"]
        assert seen(alice, **how) == seen(bob, **how) == ["stock", "dana 1", "dana 2", "erin 1", "erin 2"]
        assert seen(charlie, **how) == []
        assert seen(ANONYMOUS, **how) == []
        assert seen(Actor(kind="member", organization=handed_over.organization), **how) == []


def test_membership_in_a_project_is_another_way_to_see_messages(handed_over, customer, bob):
    factories.let_in(customer.projects.get(), bob)
    ProjectMember.objects.update(started_at=T0 - HOUR)
    guest = actor_for(bob)
    assert seen(guest) == seen(guest, device=handed_over) == ["dana 1", "dana 2"]


def test_messages_of_a_shared_device_are_visible_while_it_is_shared(device, customer, dana, by, told):
    ledger.share([device.pk], Act(by, at=T0), customer=customer, project=customer.projects.get(), reason="claim")
    for n, at in enumerate((T0 - TICK, T0, T0 + HOUR - TICK)):
        tell(device, at, data=n, by=told)
    share = device.sharedaccess_spans.get()
    ledger.end_share([share.pk], Act(by, at=T0 + HOUR), reason="unclaim")
    tell(device, T0 + HOUR, data=3, by=told)
    assert seen(dana) == seen(dana, device=device) == [1, 2]


def test_a_message_of_another_device_is_never_in_the_window(handed_over, make_devices, dana):
    (other,) = make_devices(1)
    tell(other, T0 + TICK, data="other", by=publisher(other))
    assert seen(dana, device=other) == []
    assert "other" not in seen(dana)


def test_the_window_says_whether_a_period_touches_ones_own_spans(handed_over, dana, erin, alice, charlie):
    def window(user, since=None, until=None):
        found = messages.window(factories.actor_of(user), handed_over, since, until)
        return found.is_within, list(found.rows.order_by("at").values_list("data", flat=True))

    assert window(dana) == (True, ["dana 1", "dana 2"])
    assert window(dana, T0 - HOUR, T0) == (False, [])
    assert window(dana, T0 - HOUR, T0 + TICK) == (True, ["dana 1"])
    assert window(dana, T0 + HOUR - TICK, None) == (True, ["dana 2"])
    assert window(dana, T0 + HOUR, None) == (False, [])
    assert window(dana, T0 + 2 * TICK, T0 + TICK) == (False, [])
    assert window(erin, None, T0 + HOUR) == (False, [])
    assert window(erin, None, T0 + HOUR + TICK) == (True, ["erin 1"])
    assert window(alice, T0 - HOUR, T0) == (True, ["stock"])
    assert window(charlie) == (False, [])


def test_past_owners_find_the_device_whose_messages_they_may_read(handed_over, dana, erin, charlie, alice):
    for user, found in ((dana, 1), (erin, 1), (alice, 1), (charlie, 0)):
        assert messages.devices_of(factories.actor_of(user)).filter(pk=handed_over.pk).count() == found


def test_a_projects_messages_are_those_received_while_the_device_was_in_it(
    handed_over, customer, other_customer, dana, erin, alice
):
    first, second = customer.projects.get(), other_customer.projects.get()

    def of(user, project):
        rows = Message.objects.visible_to(factories.actor_of(user)).of_project(project)
        return list(rows.order_by("at", "pk").values_list("data", flat=True))

    assert of(dana, first) == of(alice, first) == ["dana 1", "dana 2"]
    assert of(erin, second) == ["erin 1", "erin 2"]
    assert of(dana, second) == of(erin, first) == []


def test_a_project_with_shares_includes_their_messages(device, customer, dana, by, told):
    project = customer.projects.get()
    ledger.share([device.pk], Act(by, at=T0), customer=customer, project=project, reason="claim")
    tell(device, T0 - TICK, data="before", by=told)
    tell(device, T0, data="shared", by=told)
    rows = Message.objects.visible_to(factories.actor_of(dana)).of_project(project)
    assert list(rows.values_list("data", flat=True)) == ["shared"]


def test_messages_received_during_a_handover_get_their_project(device, customer, by, told, monkeypatch):
    deafen_ledger(monkeypatch)
    tell(device, T0 + TICK, by=told)
    assert Message.objects.get().project is None
    own(device, customer, by, T0)
    assert Message.objects.get().project == customer.projects.get()


def test_undoing_an_unclaim_returns_the_messages_to_the_project(device, customer, by):
    own(device, customer, by, T0)
    ledger.release([device.pk], Act(by, at=T0 + HOUR, evidence="operation:1"), reason="unclaim")
    tell(device, T0 + 2 * HOUR)
    assert Message.objects.get().project is None
    ledger.reopen([device.pk], Act(by, at=T0 + 3 * HOUR), ended="operation:1", customer_ids=[customer.pk])
    assert Message.objects.get().project == customer.projects.get()


def test_old_messages_are_only_deleted_as_configured_by_the_operator(device, told, settings, monkeypatch):
    monkeypatch.setattr(actions, "OLD_AT_ONCE", 2)
    now = T0 + timedelta(days=30)
    for days in range(5):
        tell(device, now - timedelta(days=10) + timedelta(days=days, microseconds=-1), data=days, by=told)
    assert (actions.delete_old(now), Message.objects.count()) == (0, 5)
    settings.MESSAGE_DAYS = 7
    assert actions.delete_old(now) == 4
    assert [row.data for row in Message.objects.all()] == [4]
    assert actions.delete_old(now) == 0


def test_a_message_without_its_project_is_repaired_by_the_upkeep(device, customer, by, told):
    ownership.assign([device.pk], customer=customer, by=by, at=T0)
    tell(device, T0 + TICK, by=told)
    assert len(list(check())) == 1
    assert actions.settle_recent(T0 + HOUR) == 1
    assert actions.settle_recent(T0 + HOUR) == 0
    assert list(check()) == []


def test_no_message_gets_a_time_before_the_last_release(device, customer, dana, by):
    """A server with a slow clock can't put a message into the span of the former owner."""
    own(device, customer, by, T0)
    ledger.release([device.pk], Act(by, at=T0 + HOUR), reason="unclaim")
    assert tell(device, T0 + HOUR - TICK) == T0 + HOUR
    assert seen(dana) == []


def test_without_the_ledgers_instant_a_slow_clock_would_show_it_to_the_former_owner(device, customer, dana, by):
    """The negative control."""
    own(device, customer, by, T0)
    ledger.release([device.pk], Act(by, at=T0 + HOUR), reason="unclaim")
    tell(device, T0 + HOUR - TICK, data="leaked", by=replace(publisher(device), not_before=None))
    actions.settle([device.pk], since=T0)
    assert seen(dana) == ["leaked"]


def test_an_error_in_a_follower_rolls_the_messages_back(device, monkeypatch):
    monkeypatch.setattr(actions.followers, "entries", [(0, refuse)])
    with pytest.raises(RuntimeError):
        tell(device, T0, by=actions.Publisher(device.pk, device.organization_id))
    assert not Message.objects.exists()


def refuse(by, drafts, at):
    raise RuntimeError(f"{by.device_id} {drafts[0].name} {at}")
