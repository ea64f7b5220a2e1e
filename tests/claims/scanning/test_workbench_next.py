"""What the workbench says before the work, and where it leads afterwards."""

import re

import pytest
from django.urls import reverse

from claims.models import Return
from claims.returns.actions import returns
from console.models import Operation
from devices.actions import batches, ownership
from devices.models import Device, Ownership
from tests.claims.worlds import make_unit_profile
from tests.forms import act, of_page

pytestmark = pytest.mark.django_db
CHECKS = {f"check_{n}": "yes" for n in range(4)}
OVER = "You can unclaim 2 more devices this hour; 3 are selected. Select fewer, or ask an administrator."


@pytest.fixture
def two_an_hour(monkeypatch):
    monkeypatch.setattr(ownership, "UNCLAIMS_AN_HOUR", 2)


@pytest.fixture
def desk(client_for, bob):
    return client_for(bob)


@pytest.fixture
def received(owned_devices, actor, bob, product):
    make_unit_profile(product)
    returns.begin_receive([device.pk for device in owned_devices], reason="Defective", by=actor(bob))
    return list(Return.objects.order_by("pk"))


def inspect(client, rows, decision="restocked", **selected):
    selected |= {"ids": ",".join(str(row.pk) for row in rows)}
    return act(client, reverse("claims:return_inspect"), selected, grade="a", decision=decision, **CHECKS)


def unclaim_page(client, devices):
    return client.get(reverse("devices:device_unclaim"), {"ids": [device.pk for device in devices]})


def test_the_preview_shows_the_unclaim_limit_and_no_button_beyond_it(desk, owned_devices, two_an_hour):
    page = unclaim_page(desk, owned_devices).content.decode()
    assert OVER in page
    assert "button danger" not in page and 'name="reason"' not in page
    fewer = unclaim_page(desk, owned_devices[:2]).content.decode()
    assert "this hour" not in fewer and "button danger" in fewer and 'name="reason"' in fewer


def test_the_preview_counts_earlier_unclaims(desk, owned_devices, two_an_hour, actor, bob):
    ownership.unclaim([owned_devices[0].pk], reason="Lease over", by=actor(bob))
    page = unclaim_page(desk, owned_devices[1:]).content.decode()
    assert "You can unclaim 1 more device this hour; 2 are selected." in page
    ownership.unclaim([owned_devices[1].pk], reason="Lease over", by=actor(bob))
    page = unclaim_page(desk, owned_devices[2:]).content.decode()
    assert (
        "You have reached your limit of 2 unclaimed devices an hour. Try again later, or ask an administrator." in page
    )


def test_people_who_may_unclaim_in_bulk_see_no_limit(client_for, alice, owned_devices, two_an_hour):
    page = unclaim_page(client_for(alice), owned_devices).content.decode()
    assert "this hour" not in page and "button danger" in page


def test_posting_beyond_the_limit_is_refused_in_the_same_words(desk, owned_devices, two_an_hour):
    url = reverse("devices:device_unclaim")
    form = next(form for form in of_page(unclaim_page(desk, owned_devices)) if "selected" in form)
    answer = desk.post(url, form | {"reason": "Lease over"})
    assert answer.status_code == 422 and OVER in answer.content.decode()
    assert Ownership.objects.filter(ended_at=None).count() == 3


def test_a_bulk_dry_run_is_refused_beyond_the_limit(owned_devices, two_an_hour, actor, bob):
    ids = [str(device.pk) for device in owned_devices]
    with pytest.raises(ownership.Refused) as refusal:
        batches.unclaim("id", ids, reason="Lease over", by=actor(bob), is_dry=True)
    assert (refusal.value.code, refusal.value.sentence) == ("unclaim_limit", OVER)
    assert not Operation.objects.exists()


def test_the_workbench_shows_the_limit_before_the_work(desk, owned_devices, two_an_hour):
    workbench = reverse("claims:return_workbench")
    page = desk.get(f"{workbench}?ids={','.join(str(device.pk) for device in owned_devices)}").content.decode()
    assert OVER in page
    assert re.search(r'<button id="receive-button"[^>]* disabled', page)
    page = desk.get(f"{workbench}?ids={owned_devices[0].pk}").content.decode()
    assert not re.search(r'<button id="receive-button"[^>]* disabled', page)


def test_inspecting_a_single_device_leads_to_the_next_one_received_with_it(desk, received):
    url = reverse("claims:return_inspect")
    answer = inspect(desk, received[:1])
    assert answer.url == f"{url}?ids={received[1].pk}"
    page = desk.get(answer.url).content.decode()
    device = received[0].device
    assert f"{device}: Back in stock." in page
    assert f'<a href="{reverse("claims:label_sheet_create")}?ids={device.pk}">Print labels</a>' in page
    assert inspect(desk, received[1:2], "scrapped").url == f"{url}?ids={received[2].pk}"
    assert "Print labels" not in desk.get(answer.url).content.decode()
    assert inspect(desk, received[2:]).url == received[2].get_absolute_url()


def test_devices_received_separately_are_not_next(desk, owned_devices, actor, bob):
    for device in owned_devices[:2]:
        returns.begin_receive([device.pk], reason="Defective", by=actor(bob))
    row = Return.objects.get(device=owned_devices[0])
    assert inspect(desk, [row]).url == row.get_absolute_url()


def test_a_bulk_inspection_returns_to_the_list_with_the_labels_to_print(desk, received):
    back = "/returns/?state=received"
    answer = inspect(desk, received[:2], next=back)
    assert answer.url == back
    page = desk.get(answer.url).content.decode()
    assert "2 devices inspected." in page and "Undo</a>" in page
    pks = ",".join(str(row.device_id) for row in received[:2])
    assert f'?ids={pks}">Print labels</a>' in page
    assert Device.objects.filter(status="in_stock").count() == 2


def test_refusals_of_a_bulk_inspection_are_shown_in_the_list(desk, received, client_for, alice):
    selected = {"ids": ",".join(str(row.pk) for row in received)}
    inspect(client_for(alice), received[:1])
    page = act(desk, reverse("claims:return_inspect"), selected, grade="b", decision="scrapped", **CHECKS)
    said = desk.get(page.url).content.decode()
    assert page.url == "/returns/" and "2 devices inspected." in said
    assert f"{received[0].device}: It is closed: Restocked." in said
