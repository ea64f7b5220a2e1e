"""A project member reads from the start of their membership on, and only while it lasts, at every exit.

Random joining, leaving, ending and coming back are compared with a model in plain Python.
"""

from itertools import chain

import pytest
from django.db.models import Q
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from console.models import Member
from console.people.actions import members
from customers.models import ProjectMember
from customers.people.roles import actor_for
from customers.projects.actions import members as project_members
from devices.models import Message
from devices.models.ownership import SpanQuerySet
from tests import factories
from tests.api import Caller, key_of
from tests.devices.test_ownership_window import (
    CUSTOMERS,
    DEVICES,
    QUICK,
    WindowMachine,
    customer_numbers,
    numbers,
    signed_in,
)

pytestmark = pytest.mark.django_db


class MembersMachine(WindowMachine):
    """The same world, plus Kim of the organization, who joins and leaves the customers' projects.

    The model: the start of the membership for each project that Kim is in.
    """

    has_pages = is_quick = False

    @initialize(is_heard=st.just(False))
    def make_the_world(self, is_heard):
        super().make_the_world(is_heard)
        organization = self.customers[0].organization
        self.kim = factories.make_member(organization, "support")
        self.owners = [signed_in(person.user) for person in self.people]
        self.program = Caller(key_of(factories.make_member(organization, "owner")))
        self.is_employed, self.joined = True, {}

    @rule(to=customer_numbers)
    def join(self, to):
        new = project_members.let_in(self.projects[to], [(self.kim, "viewer")], by=self.by, at=self.now)
        assert bool(new) == (self.is_employed and to not in self.joined)
        if new:
            self.joined[to] = new[0].started_at

    @rule(to=customer_numbers)
    def staff_end_it(self, to):
        rows = ProjectMember.objects.filter(project=self.projects[to], user=self.kim)
        assert project_members.end(rows, by=self.by, at=self.now) == (to in self.joined)
        self.joined.pop(to, None)

    @precondition(lambda self: self.joined)
    @rule(to=customer_numbers)
    def the_owner_ends_it(self, to):
        for row in ProjectMember.objects.open().filter(project=self.projects[to], user=self.kim):
            url = f"/portal/projects/{self.projects[to].pk}/members/{row.pk}/end/"
            assert self.owners[1 - to].post(url, {"reason": ""}).status_code == 404
            assert self.owners[to].post(url, {"reason": ""}).status_code == 302
        self.joined.pop(to, None)

    @precondition(lambda self: self.is_employed)
    @rule()
    def leave(self):
        members.remove(Member.objects.get(user=self.kim), by=self.by, at=self.now)
        self.is_employed, self.joined = False, {}

    @precondition(lambda self: not self.is_employed)
    @rule()
    def come_back(self):
        invitation, _link = members.invite(self.kim.email, "support", by=self.by)
        members.accept(invitation, user=self.kim)
        self.is_employed = True

    def seen(self, n=None, c=None):
        """Return what Kim reads: from one device or all, in one project or all."""
        return sorted(
            set(
                chain.from_iterable(
                    self.reached(to, number, since=start)
                    for to, start in self.joined.items()
                    if c in (None, to)
                    for number in range(DEVICES)
                    if n in (None, number)
                )
            )
        )

    @invariant()
    def a_member_reads_what_the_project_sees_while_they_are_in_it(self):
        kim = actor_for(self.kim)
        assert kim.projects == {self.projects[to].pk for to in self.joined}
        assert numbers(Message.objects.visible_to(kim)) == self.seen()
        for n, device in enumerate(self.devices):
            assert numbers(Message.objects.visible_to(kim, device=device)) == self.seen(n)
        for c, project in enumerate(self.projects):
            assert numbers(Message.objects.visible_to(kim).of_project(project)) == self.seen(c=c)

    def teardown(self):
        """Check the pages, the files and the API once at the end of each story."""
        if not hasattr(self, "joined"):
            return
        client = signed_in(self.kim)
        for c in range(CUSTOMERS):
            pk = self.projects[c].pk
            answer = client.get(f"/portal/projects/{pk}/messages/export/")
            assert answer.status_code == (200 if c in self.joined else 404)
            if c in self.joined:
                assert self.csv(answer) == self.seen(c=c)
            rows = self.program.get(f"/projects/{pk}/members", current="true").json()["results"]
            assert [row["email"] for row in rows] == [self.kim.email] * (c in self.joined)
        for n, device in enumerate(self.devices):
            answer = client.get(f"/portal/devices/{device.pk}/messages/export/")
            assert self.csv(answer) == self.seen(n) if answer.status_code == 200 else self.seen(n) == []


def tell_of_a_member(machine):
    """Publish before, during and after a membership that ends with the employment, and after the return."""
    machine.make_the_world(is_heard=False)
    for step in (
        lambda: machine.assign(0, 0),
        lambda: machine.publish(0, 0, 1),
        lambda: machine.the_clock_goes_on(2),
        lambda: machine.join(0),
        lambda: machine.publish(0, 0, 1),
        machine.leave,
        machine.come_back,
        lambda: machine.publish(0, 0, 1),
        lambda: machine.join(0),
    ):
        step()
        machine.a_member_reads_what_the_project_sees_while_they_are_in_it()
    machine.teardown()


def test_a_member_reads_what_the_project_sees_from_the_start_to_the_end_of_the_membership():
    run_state_machine_as_test(MembersMachine, settings=QUICK)


def test_the_story_of_the_controls_passes_without_them():
    tell_of_a_member(MembersMachine())


def test_the_machine_detects_a_window_that_ignores_the_membership(monkeypatch):
    """The negative control: the spans of the project, whenever the membership started."""

    def careless(self, actor, at=None):
        return self.filter(Q(customer__in=actor.customers) | Q(project__in=actor.projects))

    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(SpanQuerySet, "reached_by", careless)
        tell_of_a_member(MembersMachine())


def test_the_machine_detects_people_who_leave_but_stay_in_the_projects(monkeypatch):
    """The negative control: the projects do not learn who leaves."""
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        others = [entry for entry in members.leaving.entries if entry[1] is not project_members.end_all_of]
        patch.setattr(members.leaving, "entries", others)
        tell_of_a_member(MembersMachine())
    # Clean up after the control, for the check that follows every test.
    ProjectMember.objects.open().update(ended_at="2027-01-01T00:00Z", end_reason="left")
