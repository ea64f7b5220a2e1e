"""A bulk action does what its page said: if other rows match by then, nothing is done and the page is shown again."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from claims.models import ClaimCode, LabelSheet, Return
from claims.returns.actions import returns
from console import bulk
from console.models import Event
from devices.actions import ownership
from devices.models import Device, Ownership
from tests import factories
from tests.access_world import rows
from tests.claims import worlds
from tests.forms import of_page, of_selection
from tests.test_access import CONSOLE, address

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(organization, device, customer, dana, product, alice, make_devices):
    return rows(organization, device, customer, dana, product, alice, make_devices(1)[0])


class Case:
    """One bulk action: what must match it, what the person fills in, what it did."""

    filters: dict[str, str] = {}
    values: dict[str, str] = {}

    def __init__(self, product: Any, customer: Any, by: Any) -> None:
        self.product, self.customer, self.by = product, customer, by

    def another(self) -> Any:
        """Make one more that matches."""
        return factories.make_device(self.product)

    def done(self) -> int:
        """On how many it has acted."""
        raise NotImplementedError


class Assign(Case):
    filters = {"status": "in_stock"}

    @property
    def values(self):
        return {"customer": f"{self.customer} ({self.customer.pk})"}

    def done(self):
        return Ownership.objects.filter(start_reason="assignment").count()


class Unclaim(Case):
    filters, values = {"status": "owned"}, {"reason": "Lease over"}

    def another(self):
        device = super().another()
        ownership.assign([device.pk], customer=self.customer, by=self.by, reason="api")
        return device

    def done(self):
        return Ownership.objects.filter(end_reason="unclaim").count()


class AddUnits(Case):
    filters, values = {"status": "in_stock"}, {"name": "Pilot 2027", "profile": ""}

    def done(self):
        return ClaimCode.objects.filter(profile__name="Pilot 2027").count()


class Labels(Case):
    filters, values = {"status": "in_stock"}, {"output": "csv", "start": "1"}

    def __init__(self, *args):
        super().__init__(*args)
        worlds.make_unit_profile(self.product)

    def another(self):
        device = super().another()
        worlds.claim_codes.make_for_devices(self.product.claim_profiles.get(), [device.pk])
        return device

    def done(self):
        return sum(LabelSheet.objects.values_list("count", flat=True))


class Back(Labels):
    """Returns that were received, and whose labels no longer work."""

    def another(self):
        device = super().another()
        ownership.assign([device.pk], customer=self.customer, by=self.by, reason="api")
        returns.begin_receive([device.pk], reason="Defective", by=self.by)
        return device


class Inspect(Back):
    filters = {"state": "received"}
    values = {"grade": "a", "decision": "restocked", **{f"check_{n}": "yes" for n in range(4)}}

    def done(self):
        return Return.objects.filter(state="restocked").count()


class LabelDone(Back):
    filters: dict[str, str] = {}
    values: dict[str, str] = {}

    def done(self):
        return Event.objects.filter(kind="device.label_replaced").count()


CASES = {
    "devices:device_assign": Assign,
    "devices:device_unclaim": Unclaim,
    "claims:claim_profile_add_units": AddUnits,
    "claims:label_sheet_create": Labels,
    "claims:return_inspect": Inspect,
    "claims:return_label_done": LabelDone,
}


@pytest.fixture(params=sorted(CASES))
def case(request, product, customer, actor, alice):
    made = CASES[request.param](product, customer, actor(alice))
    made.url = reverse(request.param)
    for _each in range(3):
        made.another()
    return made


def test_every_page_that_acts_on_a_selection_is_in_the_table(world, staff_client):
    found = set()
    for name, (_roles, arguments) in CONSOLE.items():
        page = staff_client.get(address(name, arguments, world), {"all": "1"})
        if page.status_code == 200 and page["Content-Type"].startswith("text/html"):
            found |= {name for form in of_page(page) if {"all", "csrfmiddlewaretoken"} <= set(form)}
    assert found == set(CASES)


def test_the_rows_that_were_shown_are_changed(case, staff_client):
    before = case.done()
    sent = of_selection(staff_client.get(case.url, {"all": "1", **case.filters})) | case.values
    staff_client.post(case.url, sent)
    assert case.done() == before + 3


def test_where_more_match_by_then_nothing_is_done_and_the_new_number_is_said(case, staff_client):
    page = staff_client.get(case.url, {"all": "1", **case.filters})
    case.another()
    before, events = case.done(), Ownership.objects.count()
    answer = staff_client.post(case.url, of_selection(page) | case.values)
    assert answer.status_code in {409, 422}
    assert "1 more matches now: 4 instead of 3. Nothing has been done yet." in answer.content.decode()
    assert (case.done(), Ownership.objects.count()) == (before, events)
    staff_client.post(case.url, of_selection(answer) | case.values)
    assert case.done() == before + 4


def test_without_the_comparison_the_fourth_is_done_unseen(case, staff_client, monkeypatch):
    """The negative control: the filter is asked once more, and whatever matches is taken."""
    page = staff_client.get(case.url, {"all": "1", **case.filters})
    case.another()
    before = case.done()
    monkeypatch.setattr(bulk.Selection, "ids", property(lambda self: [row[0] for row in self.found]))
    staff_client.post(case.url, of_selection(page) | case.values)
    assert case.done() == before + 4


def test_a_selection_by_filter_without_what_was_shown_is_only_shown(case, staff_client):
    before = case.done()
    sent = of_selection(staff_client.get(case.url, {"all": "1", **case.filters})) | case.values
    answer = staff_client.post(case.url, {name: value for name, value in sent.items() if name != "selected"})
    assert "Check what is selected, then confirm." in answer.content.decode()
    assert case.done() == before


def test_one_for_another_is_no_longer_what_was_shown(product, customer, staff_client, actor, alice):
    one, two = factories.make_device(product), factories.make_device(product, "AQM26-2", is_development=True)
    page = staff_client.get(reverse("devices:device_assign"), {"all": "1", "development": "on"})
    Device.objects.filter(pk=two.pk).update(is_development=False)
    Device.objects.filter(pk=one.pk).update(is_development=True)
    answer = staff_client.post(reverse("devices:device_assign"), of_selection(page) | {"customer": customer.name})
    assert "Someone else changed some of them in the meantime." in answer.content.decode()
    assert not Ownership.objects.exists()


def test_a_selected_device_that_became_free_meanwhile_is_shown_before_it_is_assigned(
    product, customer, staff_client, actor, alice
):
    """The button said one device: the second was owned then."""
    free, owned = factories.make_device(product), factories.make_device(product)
    ownership.assign([owned.pk], customer=customer, by=actor(alice), reason="api")
    page = staff_client.get(reverse("devices:device_assign"), {"ids": f"{free.pk},{owned.pk}"})
    assert "Assign 1 device" in page.content.decode()
    ownership.unclaim([owned.pk], reason="Wrong", by=actor(alice))
    answer = staff_client.post(reverse("devices:device_assign"), of_selection(page) | {"customer": customer.name})
    assert "Someone else changed some of them in the meantime." in answer.content.decode()
    assert "Assign 2 devices" in answer.content.decode()
    assert not Ownership.objects.filter(ended_at=None).exists()


def test_a_large_selection_is_read_once_for_its_digest(product, staff_client):
    """However many match: one statement brings their ids, and no other is as long."""
    worlds.make_many_devices(product, 2_000)
    staff_client.get(reverse("devices:device_assign"), {"all": "1"})
    with CaptureQueriesContext(connection) as few:
        page = staff_client.get(reverse("devices:device_assign"), {"all": "1"})
    assert page.status_code == 200
    assert len(page.content) < 60_000
    Device.objects.filter(serial_number__endswith="9").update(archived_at="2026-01-01T00:00Z")
    with CaptureQueriesContext(connection) as fewer:
        staff_client.get(reverse("devices:device_assign"), {"all": "1"})
    assert len(few) == len(fewer)
