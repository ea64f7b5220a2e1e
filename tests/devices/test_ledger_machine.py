"""The ledger against a model in plain Python, with random handovers and a clock that steps both ways."""

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from console.access import system
from customers.projects.actions import projects
from devices import ledger
from devices.acts import Act
from devices.models import Device, Ownership
from tests import factories
from tests.extent import extent

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DEVICES, CUSTOMERS = 3, 3
device_sets = st.sets(st.integers(0, DEVICES - 1), min_size=1)
customer_numbers = st.integers(0, CUSTOMERS - 1)


class LedgerMachine(RuleBasedStateMachine):
    """Three devices and three customers.

    The model has, for each device, its status while nobody owns it, and a list of
    [customer, start, end, the evidence it started with, the evidence it ended with].
    """

    @initialize(owned=device_sets, unclaimed=device_sets)
    def make_the_world(self, owned, unclaimed):
        organization = factories.make_organization(f"World {next(factories._numbers)}")
        product = factories.make_product(organization)
        self.by = system(organization)
        self.customers = [factories.make_customer(organization, f"Customer {n}") for n in range(CUSTOMERS)]
        self.projects = [projects.default_of(customer) for customer in self.customers]
        self.devices = [factories.make_device(product) for _n in range(DEVICES)]
        self.model = [[] for _n in range(DEVICES)]
        self.status = ["in_stock"] * DEVICES
        # What was assigned and unclaimed: (evidence, which of the devices were in quarantine before).
        self.assigned, self.unclaimed, self.numbers = [], [], count(1)
        self.now = START
        # From here on there is always something to undo.
        self.assign(owned, 0, "assignment")
        self.unclaim(unclaimed)

    @rule(seconds=st.integers(-3600, 7200), micro=st.integers(-2, 2))
    def the_clock_steps(self, seconds, micro):
        self.now += timedelta(seconds=seconds, microseconds=micro)

    @rule(chosen=device_sets, to=customer_numbers, reason=st.sampled_from(["assignment", "claim", "import"]))
    def assign(self, chosen, to, reason):
        evidence = f"operation:{next(self.numbers)}"
        outcome = ledger.assign(
            self.ids(chosen),
            Act(self.by, at=self.now, evidence=evidence),
            customer=self.customers[to],
            project=self.projects[to],
            reason=reason,
        )
        expected = [n for n in sorted(chosen) if self.owner(n) is None and self.status[n] == "in_stock"]
        assert outcome.done == self.ids(expected)
        assert {r.row_id for r in outcome.refused} == set(self.ids(chosen)) - set(self.ids(expected))
        if expected:
            self.assigned.append(evidence)
        for n in expected:
            self.model_assign(n, to, self.now, evidence)

    @rule(chosen=device_sets)
    def unclaim(self, chosen):
        evidence = f"operation:{next(self.numbers)}"
        outcome = ledger.release(self.ids(chosen), Act(self.by, at=self.now, evidence=evidence), reason="unclaim")
        expected = [n for n in sorted(chosen) if self.owner(n) is not None]
        assert outcome.done == self.ids(expected)
        if expected:
            self.unclaimed.append(evidence)
        for n in expected:
            self.model_release(n, self.now, evidence)

    @rule(chosen=device_sets, to=st.sampled_from(["in_stock", "returned"]))
    def inspect(self, chosen, to):
        moved = ledger.set_status(self.ids(chosen), frm=["in_stock", "returned"], to=to)
        expected = [n for n in sorted(chosen) if self.owner(n) is None]
        assert moved == self.ids(expected)
        for n in expected:
            self.status[n] = to

    @precondition(lambda self: self.assigned)
    @rule(chosen=device_sets, back=st.integers(1, 3))
    def undo_an_assignment(self, chosen, back):
        evidence = self.assigned[-min(back, len(self.assigned))]
        outcome = ledger.retract(self.ids(chosen), Act(self.by, at=self.now, evidence="undo"), began=evidence)
        expected = [n for n in sorted(chosen) if self.owner(n) is not None and self.model[n][-1][3] == evidence]
        assert outcome.done == self.ids(expected)
        for n in expected:
            self.model_release(n, self.now, "undo")
            self.status[n] = "in_stock"

    @precondition(lambda self: self.unclaimed)
    @rule(chosen=device_sets, back=st.integers(1, 3), owners=st.sets(customer_numbers, min_size=2))
    def undo_an_unclaim(self, chosen, back, owners):
        evidence = self.unclaimed[-min(back, len(self.unclaimed))]
        owner_ids = [self.customers[n].pk for n in owners]
        outcome = ledger.reopen(self.ids(chosen), Act(self.by, at=self.now), ended=evidence, customer_ids=owner_ids)
        expected = [
            n
            for n in sorted(chosen)
            if self.model[n]
            and self.model[n][-1][4] == evidence
            and self.model[n][-1][0] in owners
            and self.status[n] == "in_stock"
        ]
        assert outcome.done == self.ids(expected)
        for n in expected:
            self.model[n][-1][2], self.model[n][-1][4] = None, ""

    @rule(chosen=device_sets, source=customer_numbers, to=customer_numbers)
    def transfer(self, chosen, source, to):
        outcome = ledger.transfer(
            self.ids(chosen),
            Act(self.by, at=self.now),
            source=self.customers[source],
            customer=self.customers[to],
            project=self.projects[to],
        )
        expected = [n for n in sorted(chosen) if self.owner(n) == source]
        assert outcome.done == self.ids(expected)
        for n in expected:
            self.model_release(n, self.now)
            self.model_assign(n, to, self.now)

    @invariant()
    def the_spans_are_those_of_the_model(self):
        for n, device in enumerate(self.devices):
            spans = [
                [
                    self.customers.index(span.customer),
                    span.started_at,
                    span.ended_at,
                    span.start_evidence,
                    span.end_evidence,
                ]
                for span in Ownership.objects.filter(device=device).select_related("customer").order_by("started_at")
            ]
            assert spans == self.model[n]

    @invariant()
    def no_span_overlaps_another_and_only_the_last_is_open(self):
        for spans in self.model:
            for (_c, start, end, *_e), (_d, following, *_f) in pairwise(spans):
                assert start < end <= following

    @invariant()
    def the_device_says_what_the_ledger_says(self):
        for n, device in enumerate(self.devices):
            device = Device.objects.get(pk=device.pk)
            owner = self.owner(n)
            assert device.customer_id == (None if owner is None else self.customers[owner].pk)
            assert device.status == (self.status[n] if owner is None else "owned")

    @invariant()
    def each_instant_belongs_to_one_owner_at_most(self):
        for n, device in enumerate(self.devices):
            for _customer, start, end, *_evidence in self.model[n][-3:]:
                for moment in (start - TICK, start, start + TICK, *((end - TICK, end) if end else ())):
                    seen = Ownership.objects.filter(device=device).covering(moment).values_list("customer", flat=True)
                    expected = [
                        self.customers[c].pk
                        for c, s, e, *_evidence in self.model[n]
                        if s <= moment and (e is None or moment < e)
                    ]
                    assert list(seen) == expected
                    assert len(expected) <= 1

    def ids(self, numbers):
        return [self.devices[n].pk for n in sorted(numbers)]

    def owner(self, n):
        spans = self.model[n]
        return spans[-1][0] if spans and spans[-1][2] is None else None

    def model_assign(self, n, to, at, evidence=""):
        last = self.model[n][-1][2] if self.model[n] else at
        self.model[n].append([to, max(at, last), None, evidence, ""])

    def model_release(self, n, at, evidence=""):
        span = self.model[n][-1]
        span[2], span[4] = at if at > span[1] else span[1] + TICK, evidence
        self.status[n] = "in_stock"


# Everything runs in the test's own transaction: each example creates its own world.
QUICK = settings(
    max_examples=extent(8, 25), stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
# For the controls: any failure will do, so none is minimized.
BLIND = settings(QUICK, max_examples=200, phases=[Phase.generate], report_multiple_bugs=False, print_blob=False)


def test_the_ledger_behaves_like_its_model():
    run_state_machine_as_test(LedgerMachine, settings=QUICK)


def test_the_machine_detects_a_ledger_that_keeps_no_order(monkeypatch):
    """The negative control: if spans can start at any time, the machine must fail."""
    honest = ledger.assign

    def careless(device_ids, act, **how):
        outcome = honest(device_ids, act, **how)
        Ownership.objects.filter(device__in=outcome.done, ended_at=None).update(
            started_at=act.at - timedelta(seconds=1)
        )
        return outcome

    monkeypatch.setattr(ledger, "assign", careless)
    with pytest.raises((AssertionError, IntegrityError)):
        run_state_machine_as_test(LedgerMachine, settings=BLIND)


def test_the_machine_detects_an_undo_that_reopens_spans_followed_by_others(monkeypatch):
    """The negative control: a ledger that reopens the closed span, whoever has owned the device since."""
    honest = ledger.reopen

    def careless(device_ids, act, *, ended, **how):
        spans = Ownership.objects.filter(device__in=device_ids, end_evidence=ended)
        free = [span.device_id for span in spans if span.device.customer_id is None]
        outcome = honest(device_ids, act, ended=ended, **how)
        outcome.done = sorted({*outcome.done, *free})
        return outcome

    monkeypatch.setattr(ledger, "reopen", careless)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(LedgerMachine, settings=BLIND)
