"""The benchmark's world of rows can be made from the tables as they are now, and its pages are found in it."""

import pytest
from django.db import transaction

from bench import cases, data


@pytest.mark.django_db
def test_the_world_of_the_benchmark_holds_every_list_that_is_measured():
    """Rolled back at the end: its rows are written by bare SQL, which keeps no denormalised columns."""
    with transaction.atomic():
        world = data.make("Small", 1_000)
        lists = list(cases.cases())
        pages = {(case.work, place): case.url(world, place) for case in lists for place in case.places}
        transaction.set_rollback(True)
    assert len({case.work for case in lists}) == len(lists)
    assert len(pages) == sum(len(case.places) for case in lists)
    assert [work for (work, place), address in pages.items() if ("cursor=" in address) != (place != cases.FIRST)] == []
