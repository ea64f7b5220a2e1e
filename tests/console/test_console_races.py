"""Who comes first, in separate processes: one first run, one owner at least, one use of an invitation."""

import pytest
from django.db import transaction

from console import throttle
from console.actions import organizations
from console.errors import Refused
from console.models import Event, Member, Organization, User
from console.people.actions import members
from tests import factories, processes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]


def outcome(act) -> str:
    try:
        act()
    except Refused as refusal:
        return refusal.code
    return "done"


def found(index: int) -> str:
    return outcome(
        lambda: organizations.found(
            name=f"N{index}", owner_name="A", email=f"a{index}@n.example", password="correct horse battery"
        )
    )


def test_simultaneous_first_runs_make_one_organization():
    results = processes.run(8, lambda index: index, found)
    assert sorted(results) == ["done", *["set_up_already"] * 7]
    assert (Organization.objects.count(), User.objects.count(), Member.objects.count()) == (1, 1, 1)


def test_the_race_of_first_runs_is_lost_without_taking_turns(monkeypatch):
    """The control: it shows that the test above can fail."""
    meet = processes.meeting(8)

    def careless(index: int) -> str:
        exists = Organization.objects.exists()
        meet()
        if exists:
            return "set_up_already"
        with transaction.atomic():
            organizations.make(f"N{index}")
        return "done"

    monkeypatch.setattr(throttle, "take_turn", lambda scope, who: None)
    processes.run(8, lambda index: index, careless)
    assert Organization.objects.count() > 1


def test_owners_who_remove_each_other_leave_one():
    organization = factories.make_organization()
    owners = [factories.make_member(organization, "owner") for _each in range(2)]
    rows = [Member.objects.select_related("user").get(user=user) for user in owners]
    actors = [factories.actor_of(user) for user in owners]
    results = processes.run(
        2, lambda index: index, lambda index: outcome(lambda: members.remove(rows[1 - index], by=actors[index]))
    )
    assert sorted(results) == ["done", "last_owner"]
    assert Member.objects.filter(role="owner", removed_at=None).count() == 1


def test_an_invitation_that_many_accept_at_once_makes_one_member():
    organization = factories.make_organization()
    by = factories.actor_of(factories.make_member(organization, "owner"))
    user = User.objects.create_user("zoe@northlake.example")
    invitation, _link = members.invite(user.email, "viewer", by=by)
    results = processes.run(
        8, lambda index: index, lambda index: outcome(lambda: members.accept(invitation, user=user))
    )
    assert sorted(results) == ["done", *["not_open"] * 7]
    assert Member.objects.filter(user=user).count() == 1
    assert Event.objects.filter(kind="member.joined").count() == 1


def test_an_invited_address_that_joins_at_once_gets_one_account():
    organization = factories.make_organization()
    by = factories.actor_of(factories.make_member(organization, "owner"))
    invitation, _link = members.invite("zoe@northlake.example", "viewer", by=by)
    results = processes.run(
        4,
        lambda index: index,
        lambda index: outcome(lambda: members.join(invitation, name="Zoe", password="correct horse battery")),
    )
    assert results.count("done") == 1
    assert set(results) <= {"done", "not_open", "account_exists"}
    assert User.objects.filter(email="zoe@northlake.example").count() == 1
