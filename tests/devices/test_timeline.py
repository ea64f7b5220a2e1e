"""The bar of a device's life."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from devices import timeline

DAY = timedelta(days=1)
BORN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BORN + 100 * DAY


@dataclass
class Owned:
    started_at: datetime
    ended_at: datetime | None
    customer: str


def drawn(spans):
    return [(part.kind, part.label, float(part.x), float(part.width)) for part in timeline.parts(BORN, spans, NOW)]


def test_a_device_that_was_never_owned_is_one_gap():
    assert drawn([]) == [("gap", "In stock", 0.0, 99.75)]


def test_owners_and_the_gaps_between_them_alternate():
    spans = [Owned(BORN + 50 * DAY, None, "B"), Owned(BORN + 20 * DAY, BORN + 40 * DAY, "A")]
    assert drawn(spans) == [
        ("gap", "In stock", 0.0, 19.75),
        ("past", "A", 20.0, 19.75),
        ("gap", "In stock", 40.0, 9.75),
        ("now", "B", 50.0, 49.75),
    ]


def test_a_handover_without_a_gap_shows_none():
    spans = [Owned(BORN, BORN + 50 * DAY, "A"), Owned(BORN + 50 * DAY, None, "B")]
    assert [kind for kind, *_rest in drawn(spans)] == ["past", "now"]


def test_a_very_short_span_is_still_visible():
    spans = [Owned(BORN + DAY, BORN + DAY + timedelta(seconds=1), "A")]
    assert [width for kind, _label, _x, width in drawn(spans) if kind == "past"] == [0.35]


def test_numbers_are_formatted_for_css_in_every_language():

    with translation.override("de"):
        assert all("," not in part.x + part.width for part in timeline.parts(BORN, [], NOW))


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(days=400), ["Oct 2025", "Jan 2026", "May 2026", "Aug 2026"]),
        (timedelta(days=8), ["14 Nov", "16 Nov", "18 Nov", "20 Nov"]),
        (timedelta(hours=8), ["22 Nov 04:00", "22 Nov 06:00", "22 Nov 08:00", "22 Nov 10:00"]),
        (timedelta(seconds=30), ["22 Nov 11:59", "", "", ""]),
    ],
)
def test_a_shorter_bar_has_a_finer_scale(age, words):
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert timeline.scale(now - age, [], now=now) == words
