"""The ownership window: random messages and changes of hands against a model in plain Python. Each message is seen by
exactly its owner, at every exit, also a microsecond beside a handover."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import chain, count

import pytest
from django.db.models import Q
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from console.access import CustomerScope, system
from console.models import WebhookDelivery
from console.webhooks import actions as webhooks
from console.webhooks import delivery
from customers.projects.actions import projects
from devices import ledger
from devices.actions.secrets import sha256
from devices.acts import Act
from devices.device_api.authentication import find
from devices.messages import actions
from devices.messages import window as messages
from devices.messages.actions import Publisher, publish, publish_at_once
from devices.models import Device, Message, SharedAccess
from devices.models.message import MessageQuerySet
from devices.models.ownership import SpanQuerySet
from tests import factories
from tests.api import Caller, customer_key, key_of
from tests.devices.telling import deafen_ledger, give_secret
from tests.extent import extent

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DEVICES, CUSTOMERS = 2, 2
device_numbers, customer_numbers = st.integers(0, DEVICES - 1), st.integers(0, CUSTOMERS - 1)
# Next to an instant, and further away.
steps = st.sampled_from([0, 0, 1, 1, 2, 1_000_000, 3_600_000_000])


class WindowMachine(RuleBasedStateMachine):
    """Two devices, two customers with one person each, and a clock that stands still, advances, or jumps by two hours.

    If it is heard, a webhook of each customer and one of the organization receive it.

    The model has the spans [customer, start, end, is it shared] of each device, and (its number, the device, the time)
    for each message. It alone determines whose a message is.
    """

    # Whether the pages and the REST API, which are many, and publishing in one statement are included.
    has_pages = is_quick = True
    # Whether the ledger hears what devices said: it does not hear what is stored during a handover.
    hears = True

    @initialize(is_heard=st.booleans())
    def make_the_world(self, is_heard):
        organization = factories.make_organization(f"World {next(factories._numbers)}")
        product = factories.make_product(organization)
        self.by = system(organization)
        self.customers = [factories.make_customer(organization, f"Customer {n}") for n in range(CUSTOMERS)]
        self.projects = [projects.default_of(customer) for customer in self.customers]
        people = [factories.make_person(customer, f"{customer.pk}@window.example") for customer in self.customers]
        self.people = [factories.actor_of(person) for person in people]
        if self.has_pages:
            self.clients = [signed_in(person) for person in people]
            alice = factories.make_member(organization, "owner")
            self.member, self.program = signed_in(alice), Caller(key_of(alice))
            self.programs = [
                Caller(customer_key(person, customer, CustomerScope.READ))
                for person, customer in zip(people, self.customers, strict=True)
            ]
        self.devices = [factories.make_device(product) for _n in range(DEVICES)]
        self.secrets = [give_secret(device) for device in self.devices]
        self.hooks = [
            webhooks.create(url="https://example.com/", events=["message"], customer_id=pk, by=self.by)
            for pk in ([None, *(customer.pk for customer in self.customers)] if is_heard else [])
        ]
        self.spans = [[] for _n in range(DEVICES)]
        # Who held the device when each message came: only for a share, this must hold for a webhook to be sent.
        self.told = {}
        self.sent, self.numbers, self.now = [], count(1), START

    @rule(micro=steps)
    def the_clock_goes_on(self, micro):
        self.now += timedelta(microseconds=micro)

    @rule(hours=st.sampled_from([-2, 2]))
    def the_clock_jumps(self, hours):
        """Correct a clock that ran ahead or behind."""
        self.now += timedelta(hours=hours)

    @rule(n=device_numbers, behind=st.sampled_from([0, 0, 0, 1, 2, 3_600_000_000]), together=st.integers(1, 2))
    def publish(self, n, behind, together):
        """Publish on a server whose clock may be behind: no message falls before the last handover."""
        drafts = [messages.Draft("reading", messages.Json(next(self.numbers)), None) for _each in range(together)]
        at = self.now - timedelta(microseconds=behind)
        if together == 1 and self.is_quick and not self.hooks:
            known = {"name_key": self.devices[n].name_key, "secret_sha256": sha256(self.secrets[n])}
            assert publish_at_once(drafts[0], **known, at=at)
            at = Message.objects.latest("pk").at
        else:
            at = publish(drafts, by=find(self.devices[n].device_name, self.secrets[n]), at=at)
        assert at >= max((end or start for _c, start, end, _s in self.spans[n]), default=at)
        self.sent += [(int(draft.data), n, at) for draft in drafts]
        self.told |= {int(draft.data): {c for c, *span, _s in self.spans[n] if covers(span, at)} for draft in drafts}

    @rule(n=device_numbers, to=customer_numbers)
    def assign(self, n, to):
        outcome = ledger.assign(
            [self.devices[n].pk],
            Act(self.by, at=self.now),
            customer=self.customers[to],
            project=self.projects[to],
            reason="assignment",
        )
        assert bool(outcome.done) == (self.owner(n) is None)
        if outcome.done:
            # Access of others ends.
            self.end(n, owned=False)
            self.own(n, to)

    @rule(n=device_numbers)
    def release(self, n):
        if ledger.release([self.devices[n].pk], Act(self.by, at=self.now), reason="unclaim").done:
            self.end(n)

    @rule(n=device_numbers, to=customer_numbers)
    def transfer(self, n, to):
        source = self.owner(n)
        if source is None:
            return
        ledger.transfer(
            [self.devices[n].pk],
            Act(self.by, at=self.now),
            source=self.customers[source],
            customer=self.customers[to],
            project=self.projects[to],
        )
        self.end(n)
        self.own(n, to, is_next=True)

    @rule(n=device_numbers, to=customer_numbers)
    def share(self, n, to):
        new = ledger.share(
            [self.devices[n].pk],
            Act(self.by, at=self.now),
            customer=self.customers[to],
            project=self.projects[to],
            reason="claim",
        )
        if new:
            edges = [end or start for _c, start, end, is_shared in self.spans[n] if not is_shared]
            self.spans[n].append([to, self.instant(n, *edges), None, True])

    @precondition(lambda self: any(s[3] and s[2] is None for spans in self.spans for s in spans))
    @rule(n=device_numbers)
    def end_shares(self, n):
        open_shares = SharedAccess.objects.filter(device=self.devices[n], ended_at=None)
        ledger.end_share(open_shares.values_list("pk", flat=True), Act(self.by, at=self.now), reason="unclaim")
        self.end(n, owned=False)

    @invariant()
    def each_message_is_seen_by_exactly_its_owner(self):
        for c, actor in enumerate(self.people):
            expected = [self.reached(c, n) for n in range(DEVICES)]
            assert numbers(Message.objects.visible_to(actor)) == sorted(chain.from_iterable(expected))
            for n, device in enumerate(self.devices):
                assert numbers(Message.objects.visible_to(actor, device=device)) == expected[n]
        everything = sorted(number for number, _n, _at in self.sent)
        assert numbers(Message.objects.visible_to(self.by)) == everything

    @invariant()
    def beside_each_handover_the_window_is_exact_to_the_microsecond(self):
        edges = sorted(
            {edge for spans in self.spans for _c, start, end, _s in spans[-2:] for edge in (start, end) if edge}
        )
        for c, actor in enumerate(self.people):
            for n, device in enumerate(self.devices):
                for edge in edges[-2:]:
                    for since, until in ((edge - TICK, edge), (edge, edge + TICK)):
                        found = messages.window(actor, device, since, until)
                        assert numbers(found.rows) == self.reached(c, n, since, until)
                        assert found.is_within == self.touches(c, n, since, until)

    @invariant()
    def a_project_has_the_messages_of_its_time(self):
        for c, actor in enumerate(self.people):
            rows = Message.objects.visible_to(actor).of_project(self.projects[c])
            assert numbers(rows) == sorted(chain.from_iterable(self.reached(c, n) for n in range(DEVICES)))

    def teardown(self):
        """Check the webhooks, the pages, the files and the API once at the end of each story."""
        if not hasattr(self, "sent"):
            return
        self.webhooks_tell_each_message_to_exactly_its_owner()
        if self.has_pages:
            self.pages_show_each_message_to_exactly_its_owner()
            self.programs_get_each_message_of_exactly_their_own()

    def webhooks_tell_each_message_to_exactly_its_owner(self):
        """Check what a worker would send now, each message exactly once."""
        given = {hook.pk: [] for hook in self.hooks}
        while jobs := delivery.take():
            for job in jobs:
                if job.hook.pk in given:
                    given[job.hook.pk].append(json.loads(job.delivery.payload)["data"]["message"]["data"])
            # As if they were sent: a webhook has a short queue.
            WebhookDelivery.objects.exclude(leased_by="").update(leased_by="", next_at=None)
        if self.hooks:
            assert sorted(given[self.hooks[0].pk]) == sorted(number for number, _n, _at in self.sent)
        for c, hook in enumerate(self.hooks[1:]):
            expected = {number for n in range(DEVICES) for number in self.reached(c, n) if c in self.told[number]}
            expected |= {number for n in range(DEVICES) for number in self.reached(c, n, kinds={False})}
            assert sorted(given[hook.pk]) == sorted(expected)

    def programs_get_each_message_of_exactly_their_own(self):
        for n, device in enumerate(self.devices):
            path = f"/devices/{device.pk}/messages"
            everything = sorted(number for number, of, _at in self.sent if of == n)
            assert self.rows(self.program.get(path, limit=200)) == everything
            assert self.csv(self.program.get(f"{path}.csv")) == everything
            for c, program in enumerate(self.programs):
                if not [span for span in self.spans[n] if span[0] == c]:
                    assert [program.get(each).status_code for each in (path, f"{path}.csv")] == [404, 404]
                    continue
                assert self.rows(program.get(path, limit=200)) == self.reached(c, n)
                assert self.csv(program.get(f"{path}.csv")) == self.reached(c, n)
                for edge in {edge for span in self.spans[n][-2:] for edge in span[1:3] if edge}:
                    for since, until in ((edge - TICK, edge), (edge, edge + TICK)):
                        answer = program.get(path, **{"from": since.isoformat(), "to": until.isoformat()})
                        assert answer.status_code == (200 if self.touches(c, n, since, until) else 403)
                        if answer.status_code == 200:
                            assert self.rows(answer) == self.reached(c, n, since, until)
        for c, program in enumerate(self.programs):
            mine = sorted(chain.from_iterable(self.reached(c, n) for n in range(DEVICES)))
            path = f"/projects/{self.projects[c].pk}/messages"
            assert self.rows(program.get(path, limit=200)) == mine
            assert self.csv(program.get(f"{path}.csv")) == mine

    def pages_show_each_message_to_exactly_its_owner(self):
        for n, device in enumerate(self.devices):
            everything = sorted(number for number, of, _at in self.sent if of == n)
            assert self.csv(self.member.get(f"/devices/{device.pk}/messages/export/")) == everything
            assert self.page(self.member, f"/devices/{device.pk}/messages/") == everything[-50:]
            for c, client in enumerate(self.clients):
                held = bool([span for span in self.spans[n] if span[0] == c])
                for path in (f"/portal/devices/{device.pk}/messages/", f"/portal/devices/{device.pk}/messages/export/"):
                    assert client.get(path).status_code == (200 if held else 404)
                assert client.get(f"/devices/{device.pk}/messages/").status_code == 403
                if held:
                    answer = client.get(f"/portal/devices/{device.pk}/messages/export/")
                    assert self.csv(answer) == self.reached(c, n)
                    assert self.page(client, f"/portal/devices/{device.pk}/messages/") == self.reached(c, n)[-25:]
        for c, client in enumerate(self.clients):
            mine = sorted(chain.from_iterable(self.reached(c, n) for n in range(DEVICES)))
            path = f"/portal/projects/{self.projects[c].pk}/messages/"
            assert self.csv(client.get(f"{path}export/")) == mine
            assert len(self.page(client, path)) == min(25, len(mine))

    def csv(self, answer):
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        header, *rows = csv.reader(io.StringIO(text))
        data = [title.lower() for title in header].index("data")
        return sorted(int(row[data]) for row in rows)

    def rows(self, answer):
        body = answer.json()
        assert (answer.status_code, body["next"]) == (200, None)
        return sorted(row["data"] for row in body["results"])

    def page(self, client, path):
        text = client.get(path).content.decode()
        return sorted(int(n) for n in re.findall(r"(?:<code>|title=.\d+.>)(\d+)</", text))

    def reached(self, c, n, since=None, until=None, kinds=frozenset({False, True})):
        """Return the messages reached by these `kinds` of spans: owned (False), shared (True)."""
        mine = [(start, end) for who, start, end, is_shared in self.spans[n] if who == c and is_shared in kinds]
        return [
            number
            for number, of, at in self.sent
            if of == n
            and (since is None or at >= since)
            and (until is None or at < until)
            and any(covers(span, at) for span in mine)
        ]

    def touches(self, c, n, since, until):
        return any(
            c == who and (until is None or start < until) and (since is None or end is None or end > since)
            for who, start, end, _s in self.spans[n]
        )

    def owner(self, n):
        return next((who for who, _start, end, is_shared in self.spans[n] if end is None and not is_shared), None)

    def instant(self, n, *others):
        """Return the instant of a handover: after the last message of the device."""
        last = max((at + TICK for _number, of, at in self.sent if of == n and self.hears), default=self.now)
        return max([self.now, last, *others])

    def own(self, n, to, *, is_next=False):
        ends = [end for _c, _s, end, is_shared in self.spans[n] if not is_shared]
        start = max([self.now, *ends]) if is_next else self.instant(n, *ends)
        self.spans[n].append([to, start, None, False])

    def end(self, n, *, owned=True):
        """End the ownership; an unclaim ends the shares too."""
        for span in self.spans[n]:
            if span[2] is None and (owned or span[3]):
                span[2] = self.instant(n, span[1] + TICK)


class Blind(WindowMachine):
    """For the controls: without the pages, and with times where the control can change them."""

    has_pages = is_quick = False


def covers(span, at):
    start, end = span
    return start <= at and (end is None or at < end)


def signed_in(user):
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def numbers(rows):
    return sorted(rows.values_list("data", flat=True))


QUICK = settings(
    max_examples=extent(4, 8), stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


def tell_a_handover(machine):
    """Tell the story that the controls can't survive: a message at the instant of a handover, from a slow clock."""
    machine.make_the_world(is_heard=True)
    for step in (
        lambda: machine.assign(0, 0),
        lambda: machine.publish(0, 0, 2),
        lambda: machine.the_clock_goes_on(2),
        lambda: machine.transfer(0, 1),
        lambda: machine.publish(0, 0, 2),
        lambda: machine.publish(0, 1, 2),
    ):
        step()
        machine.each_message_is_seen_by_exactly_its_owner()
        machine.beside_each_handover_the_window_is_exact_to_the_microsecond()
        machine.a_project_has_the_messages_of_its_time()


def tell_a_coincidence(machine, monkeypatch):
    """Store a message after the instant of a handover was chosen, and send it before the handover is done.

    It belongs to the new owner.
    """
    machine.make_the_world(is_heard=True)
    machine.assign(0, 0)
    machine.the_clock_goes_on(2)
    machine.publish(0, 0, 1)
    deafen_ledger(monkeypatch)
    machine.hears = False
    machine.transfer(0, 1)
    machine.webhooks_tell_each_message_to_exactly_its_owner()


def tell_of_a_clock_that_ran_ahead(machine):
    """Run two hours ahead while the device is assigned and publishes, then right again for the next owner."""
    machine.make_the_world(is_heard=True)
    machine.the_clock_jumps(2)
    machine.assign(0, 0)
    machine.the_clock_goes_on(1_000_000)
    machine.publish(0, 0, 2)
    machine.the_clock_jumps(-2)
    machine.release(0)
    machine.assign(0, 1)
    machine.publish(0, 0, 2)
    assert numbers(Message.objects.visible_to(machine.people[0])) == [1, 2]
    assert numbers(Message.objects.visible_to(machine.people[1])) == [3, 4]


def test_each_message_is_visible_to_exactly_its_owner_at_every_exit():
    run_state_machine_as_test(WindowMachine, settings=QUICK)


def test_the_stories_of_the_controls_pass_without_them(monkeypatch):
    tell_a_handover(Blind())
    tell_of_a_clock_that_ran_ahead(Blind())
    tell_a_coincidence(Blind(), monkeypatch)


def test_the_machine_detects_webhooks_sent_without_a_check(monkeypatch):
    """The negative control."""
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(delivery, "_withhold", lambda jobs: jobs)
        tell_a_coincidence(Blind(), patch)


def test_the_machine_detects_webhooks_that_the_ledger_does_not_inform(monkeypatch):
    """The negative control."""
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(actions, "on_moved", lambda ids: None)
        tell_a_coincidence(Blind(), patch)


def test_the_machine_detects_a_ledger_that_only_follows_the_clock(monkeypatch):
    """The negative control: the next owner reads what was published while the clock ran ahead."""
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        deafen_ledger(patch)
        tell_of_a_clock_that_ran_ahead(Blind())


def test_the_machine_detects_a_window_that_includes_its_end(monkeypatch):
    """The negative control: one microsecond too many, `at <= ended_at`, in the ranges of one device."""

    def careless(self, spans):
        wanted = Q()
        for span in spans:
            ends = Q(at__lte=span.ended_at) if span.ended_at else Q()
            wanted |= Q(device=span.device_id, at__gte=span.started_at) & ends
        return self.filter(wanted) if wanted else self.none()

    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(MessageQuerySet, "within", careless)
        tell_a_handover(Blind())


def test_the_machine_detects_a_ledger_whose_spans_include_their_end(monkeypatch):
    """The negative control, in the condition on the spans."""

    def careless(self, at):
        return self.filter(Q(ended_at=None) | Q(ended_at__gte=at), started_at__lte=at)

    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(SpanQuerySet, "covering", careless)
        tell_a_handover(Blind())


def test_the_machine_detects_times_that_only_follow_the_servers_clock(monkeypatch):
    """The negative control: published after a handover, with a time before it."""
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(Publisher, "stamp", lambda self, at=None: at)
        tell_a_handover(Blind())
    # Clean up after the control, for the check that follows every test.
    actions.settle(Device.objects.values_list("pk", flat=True), since=START)
