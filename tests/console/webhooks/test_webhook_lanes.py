"""Receivers that hang hold up themselves alone: not those of another organization, nor others of their own."""

import threading
from collections import Counter
from datetime import timedelta
from itertools import cycle

import pytest
from django.conf import settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console import tasks
from console.access import system
from console.audit.public import Occurrence
from console.models import WebhookDelivery
from console.webhooks import actions as webhooks
from console.webhooks import delivery, dial, fanout, lanes
from console.webhooks.lanes import Waiting
from devices.messages.events import PUBLISHED
from tests.console.webhook_receiver import LOCAL, Handler, Receiver
from tests.waiting import PATIENCE

HANGING, EVENTS = 20, 30
NOW = timezone.now()


class Silent(Handler):
    """Takes the call and answers when it may."""

    def do_POST(self) -> None:
        self.server.release.wait(PATIENCE)
        super().do_POST()


@pytest.fixture
def receivers(settings):
    settings.WEBHOOK_NETWORKS = LOCAL
    silent, prompt = Receiver(), Receiver()
    silent.RequestHandlerClass, silent.release = Silent, threading.Event()
    yield silent, prompt
    silent.release.set()
    for each in (silent, prompt):
        each.shutdown()
        each.server_close()


def make_backlog(organization, url, number):
    hook = webhooks.create(url=url, events=["message"], by=system(organization))
    occurrences = [Occurrence({"n": n}, NOW) for n in range(number)]
    fanout.write([hook], PUBLISHED, occurrences)
    return hook


@pytest.fixture
def ended(receivers, monkeypatch):
    """The webhooks whose calls ended, in that order. After as many as are expected the silent ones may answer too."""
    found, original = [], delivery._try

    def note(line, job):
        answer = original(line, job)
        found.append(job.hook.pk)
        if len(found) == EVENTS:
            receivers[0].release.set()
        return answer

    monkeypatch.setattr(delivery, "_try", note)
    return found


@pytest.fixture
def comes_later(monkeypatch):
    """Something that happens when the workers have looked once, and every line that they may use is busy."""

    def set_up(happen):
        original, looks = lanes.waiting, iter([happen])

        def look(at):
            found = original(at)
            if not found:
                next(looks, lambda: None)()
            return found

        monkeypatch.setattr(lanes, "waiting", look)

    return set_up


@pytest.mark.django_db
@pytest.mark.parametrize("is_of_the_same", [False, True])
def test_twenty_that_hang_hold_up_nobody_elses_calls(
    is_of_the_same, organization, other_organization, receivers, ended, comes_later
):
    silent, prompt = receivers
    for number in range(HANGING):
        make_backlog(organization, f"{silent.url}/{number}", 5)
    made = []
    comes_later(
        lambda: made.append(make_backlog(organization if is_of_the_same else other_organization, prompt.url, EVENTS))
    )
    assert delivery.run() == HANGING * 5 + EVENTS
    assert ended[:EVENTS] == [made[0].pk] * EVENTS


@pytest.mark.django_db
def test_without_lanes_they_do(organization, other_organization, receivers, ended, comes_later, monkeypatch):
    """The negative control: lines go to whoever waits, the first first."""

    def first_come(wanted, held, of_hook):
        wanted = sorted(wanted, key=lambda one: (one.since, one.hook))
        free = lanes.LINES - len(held)
        return dict(Counter(one.hook for one, _n in zip(cycle(wanted), range(free), strict=False))) if wanted else {}

    monkeypatch.setattr(lanes, "shared_out", first_come)
    monkeypatch.setattr(lanes, "LINES", HANGING)
    monkeypatch.setattr(dial, "ANSWER_WITHIN", 0.3)
    silent, prompt = receivers
    for number in range(HANGING):
        make_backlog(organization, f"{silent.url}/{number}", 5)
    made = []
    comes_later(lambda: made.append(make_backlog(other_organization, prompt.url, EVENTS)))
    delivery.run()
    # It waited for a call that hangs; with lanes, all of its calls come first.
    assert ended[0] != made[0].pk


def share(wanted, held=None, of_hook=None):
    held = held or {}
    everywhere = Counter(hook for _organization, hook in held.values()) + Counter(of_hook or {})
    return lanes.shared_out(wanted, held, everywhere)


def waiting(organization, hook, seconds=0):
    return Waiting(organization, hook, NOW + timedelta(seconds=seconds))


def fill(wanted):
    """All that these hold when they got as many lines as they may."""
    of = {one.hook: one.organization for one in wanted}
    return dict(enumerate((of[hook], hook) for hook, count in share(wanted).items() for _n in range(count)))


def test_a_receiver_gets_a_few_calls_at_once_from_all_workers_together():
    assert share([waiting(1, 11)]) == {11: lanes.OF_ONE}
    assert share([waiting(1, 11)], of_hook={11: lanes.OF_ONE - 1}) == {11: 1}
    assert share([waiting(1, 11)], of_hook={11: lanes.OF_ONE}) == {}


@pytest.mark.parametrize("number", [1, 20, webhooks.MOST - 1])
def test_however_many_hang_another_webhook_of_the_organization_finds_a_line(number):
    held = fill([waiting(1, hook) for hook in range(number)])
    assert len(held) <= lanes.LINES // 2
    assert share([waiting(1, 999)], held)[999] >= 1


@pytest.mark.parametrize("number", [1, 20, 60])
def test_however_many_organizations_hang_another_one_finds_a_line(number):
    held = fill([waiting(each, each * 100 + hook) for each in range(number) for hook in range(webhooks.MOST)])
    assert len(held) < lanes.LINES
    assert share([waiting(999, 99_999)], held)[99_999] >= 1


def test_each_in_turn_gets_a_line_before_anybody_gets_a_second(monkeypatch):
    monkeypatch.setattr(lanes, "LINES", 8)
    loud = [waiting(1, 11, -60), waiting(1, 12, -50)]
    assert list(share([*loud, waiting(2, 21)]).items()) == [(11, 1), (21, 2), (12, 1)]


@pytest.mark.django_db
def test_a_long_backlog_leaves_the_others_their_turn(organization, other_organization, settings):
    settings.WEBHOOK_NETWORKS = LOCAL
    loud = make_backlog(organization, "http://127.0.0.9/", delivery.PORTION * lanes.OF_ONE + 5)
    quiet = make_backlog(other_organization, "http://127.0.0.9/", 1)
    taken = delivery.take()
    assert Counter(job.hook.pk for job in taken) == {loud.pk: delivery.PORTION * lanes.OF_ONE, quiet.pk: 1}
    # Each line has its own deliveries, and those that wait longest.
    assert Counter(job.delivery.line for job in taken if job.hook == loud) == dict.fromkeys(
        {job.delivery.line for job in taken if job.hook == loud}, delivery.PORTION
    )
    first = WebhookDelivery.objects.filter(webhook=loud).order_by("pk").values_list("pk", flat=True)
    assert sorted(job.delivery.pk for job in taken if job.hook == loud) == list(first[: len(taken) - 1])
    # With all its lines busy it gets none, whichever worker asks.
    assert delivery.take() == []


@pytest.mark.django_db
def test_a_look_costs_as_much_with_a_long_backlog_as_with_a_short_one(
    organization, settings, django_assert_max_num_queries
):
    settings.WEBHOOK_NETWORKS = LOCAL
    make_backlog(organization, "http://127.0.0.9/", 500)
    delivery.take()
    with django_assert_max_num_queries(6):
        assert delivery.take() == []


@pytest.mark.django_db
def test_what_waits_for_busy_lines_is_looked_at_again_a_second_later_and_no_sooner(organization, settings):
    settings.WEBHOOK_NETWORKS = LOCAL
    make_backlog(organization, "http://127.0.0.9/", delivery.PORTION * lanes.OF_ONE + 1)
    delivery.take()
    began = timezone.now()
    tasks.deliver_webhooks.func()
    queued = DBTaskResult.objects.get(task_path=tasks.deliver_webhooks.module_path)
    assert queued.run_after >= began + tasks.SHORT_WAIT
    # What comes meanwhile is looked at now.
    tasks.nudge_webhooks()
    assert DBTaskResult.objects.filter(task_path=tasks.deliver_webhooks.module_path).count() == 2


@pytest.mark.django_db
@pytest.mark.skipif(
    "sqlite" not in settings.DATABASES["default"]["ENGINE"],
    reason="PostgreSQL reads small tables whole, whatever indexes there are.",
)
def test_which_lines_are_busy_is_read_from_an_index_alone(organization):
    held = WebhookDelivery.objects.exclude(leased_by="").order_by()
    plan = held.values_list("webhook_id", "leased_by", "line").distinct().explain()
    assert "COVERING INDEX webhook_busy" in plan
