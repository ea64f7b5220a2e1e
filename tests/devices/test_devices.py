"""The pages of devices: list, filters, paging, forms, search with a scanner."""

import pytest
from django.urls import reverse

from console.models import Event
from devices.actions import ownership
from devices.models import Device, Ownership, Product
from tests import factories, forms

pytestmark = pytest.mark.django_db


def serials(answer):
    return [device.serial_number for device in answer.context["page"].rows]


def test_the_list_shows_fifty_devices_by_serial_number(staff_client, make_devices):
    make_devices(60)
    answer = staff_client.get(reverse("devices:device_list"))
    expected = sorted(Device.objects.values_list("serial_number", flat=True))
    assert serials(answer) == expected[:50]
    assert (answer.context["page"].first, answer.context["page"].last, answer.context["page"].total) == (1, 50, 60)


def test_paging_forward_and_back_leaves_no_gap(staff_client, make_devices):
    make_devices(120)
    expected = sorted(Device.objects.values_list("serial_number", flat=True))
    url, seen = reverse("devices:device_list"), []
    first = answer = staff_client.get(url)
    while True:
        seen += serials(answer)
        if not answer.context["page"].next:
            break
        answer = staff_client.get(url + answer.context["page"].next)
    assert seen == expected
    back = staff_client.get(url + answer.context["page"].previous)
    back = staff_client.get(url + back.context["page"].previous)
    assert serials(back) == serials(first)
    assert (back.context["page"].first, back.context["page"].previous) == (1, "")


def test_a_serial_number_shared_by_two_products_is_not_lost_between_pages(staff_client, organization):
    for name in ("A", "B", "C"):
        product = factories.make_product(organization, name)
        for n in range(30):
            factories.make_device(product, f"S-{n:03d}")
    url, seen = reverse("devices:device_list"), []
    answer = staff_client.get(url)
    while answer.context["page"].next:
        seen += [d.pk for d in answer.context["page"].rows]
        answer = staff_client.get(url + answer.context["page"].next)
    seen += [d.pk for d in answer.context["page"].rows]
    assert sorted(seen) == sorted(Device.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "WyJhIiwxLDEsMF0x", "%00", "WyJhIiwiYiIsMSwwXQ", "[" * 2000])
def test_an_invalid_cursor_shows_the_first_page(staff_client, device, cursor):
    assert serials(staff_client.get(reverse("devices:device_list"), {"cursor": cursor})) == [device.serial_number]


def test_the_list_takes_as_many_queries_for_fifty_devices_as_for_one(
    staff_client, make_devices, customer, actor, alice, django_assert_max_num_queries
):
    ownership.assign([d.pk for d in make_devices(55)], customer=customer, by=actor(alice))
    with django_assert_max_num_queries(8) as for_fifty:
        staff_client.get(reverse("devices:device_list"))
    with django_assert_max_num_queries(8):
        staff_client.get(reverse("devices:device_list"), {"q": "aqm26", "status": "owned", "customer": customer.pk})
    assert len(for_fifty) <= 8


def test_fifty_rows_weigh_less_than_sixty_kilobytes(staff_client, make_devices, customer, actor, alice):
    ownership.assign([d.pk for d in make_devices(60)], customer=customer, by=actor(alice))
    assert len(staff_client.get(reverse("devices:device_list")).content) < 60_000


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "eg-"}, {"EG-1"}),
        ({"q": "e00fce68"}, {"AQM-1", "AQM-2", "AQM-3"}),
        ({"status": "owned"}, {"AQM-1"}),
        ({"development": "on"}, {"AQM-2"}),
        ({"archived": "on"}, {"OLD-1"}),
        ({"customer": "Stadtwerke"}, {"AQM-1"}),
        ({"q": "nothing"}, set()),
        ({"q": "e"}, {"EG-1", "AQM-1", "AQM-2", "AQM-3"}),
    ],
)
def test_filters_find_matching_devices(staff_client, organization, product, customer, actor, alice, query, expected):
    gateway = factories.make_product(organization, "Edge Gateway")
    first = factories.make_device(product, "AQM-1")
    factories.make_device(product, "AQM-2", is_development=True)
    factories.make_device(product, "AQM-3")
    factories.make_device(gateway, "EG-1", device_name="gateway-1")
    factories.make_device(product, "OLD-1", archived_at="2026-01-01T00:00Z", device_name="old-device")
    ownership.assign([first.pk], customer=customer, by=actor(alice))
    assert set(serials(staff_client.get(reverse("devices:device_list"), query))) == expected


def test_htmx_gets_only_the_results(staff_client, device):
    answer = staff_client.get(reverse("devices:device_list"), headers={"HX-Request": "true", "HX-Target": "results"})
    assert b"<html" not in answer.content
    assert b"AQM26-100000" in answer.content
    assert "HX-Request" in answer.headers["Vary"]


def test_a_device_is_registered_with_cleaned_identifiers(staff_client, product):
    answer = staff_client.post(
        reverse("devices:device_create"),
        {
            "product": product.pk,
            "serial_number": " AQM26-7 ",
            "device_name": "e00fce68aaaa",
            "imei": "352656103159466",
            "mac": "e0-4f-43-75-e4-55",
            "tags": "Lot 1, lot 1, pilot",
        },
    )
    device = Device.objects.get()
    assert answer.status_code == 302
    assert (device.serial_number, device.serial_key, device.mac) == ("AQM26-7", "aqm26-7", "E0:4F:43:75:E4:55")
    assert sorted(device.device_tags.values_list("tag__name", flat=True)) == ["Lot 1", "pilot"]
    assert Event.objects.get().kind == "device.registered"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("serial_number", "aqm26-100000", "already registered"),
        ("device_name", "short", "6 to 64"),
        ("imei", "352656103159467", "check digit should be 6"),
        ("serial_number", "A\u202eB", "U+202E"),
        ("mac", "zz", "MAC"),
        ("manufactured_on", "32.13.2026", "valid date"),
    ],
)
def test_an_invalid_value_is_refused_at_its_field_and_the_form_keeps_what_was_typed(
    staff_client, device, product, field, value, sentence
):
    sent = {
        "product": product.pk,
        "serial_number": "AQM26-8",
        "device_name": "e00fce68bbbb",
        "notes": "kept",
        field: value,
    }
    answer = staff_client.post(reverse("devices:device_create"), sent)
    assert answer.status_code == 422
    assert sentence in " ".join(answer.context["form"].errors[field])
    assert b"kept" in answer.content
    assert Device.objects.count() == 1


def test_an_edit_is_logged_with_the_old_and_new_values(staff_client, device):
    forms.edit(staff_client, reverse("devices:device_edit", args=[device.pk]), notes="spare", is_development=True)
    assert Event.objects.get().data == {"notes": ["", "spare"], "is_development": [False, True]}


def test_an_owned_device_cannot_be_archived(staff_client, device, customer, actor, alice):
    ownership.assign([device.pk], customer=customer, by=actor(alice))
    answer = staff_client.post(reverse("devices:device_archive", args=[device.pk]))
    device.refresh_from_db()
    assert (answer.status_code, device.archived_at) == (409, None)


def test_a_selection_is_assigned_and_refusals_are_reported(
    staff_client, make_devices, customer, other_customer, actor, alice
):
    free, owned = make_devices(2)
    ownership.assign([owned.pk], customer=other_customer, by=actor(alice))
    answer = staff_client.post(
        reverse("devices:device_assign"), {"ids": f"{free.pk},{owned.pk}", "customer": "Stadtwerke"}, follow=True
    )
    done, left = [str(message) for message in answer.context["messages"]]
    assert done.startswith('1 device assigned to Stadtwerke Aalen. <a href="/devices/assign/')
    assert left == f"{owned}: It already has an owner. Unclaim it first."
    assert Ownership.objects.get(customer=customer).device == free


def test_all_matching_devices_are_unclaimed_and_no_others(staff_client, make_devices, customer, actor, alice):
    devices = make_devices(8)
    ownership.assign([d.pk for d in devices[:5]], customer=customer, by=actor(alice))
    forms.act(staff_client, reverse("devices:device_unclaim"), {"all": "1", "status": "owned"}, reason="lot recall")
    assert Device.objects.filter(status="in_stock").count() == 8
    assert Ownership.objects.filter(end_note="lot recall").count() == 5


def test_unclaiming_without_a_reason_keeps_the_selection(staff_client, device, customer, actor, alice):
    ownership.assign([device.pk], customer=customer, by=actor(alice))
    answer = staff_client.post(reverse("devices:device_unclaim"), {"ids": device.pk, "reason": " "})
    assert answer.status_code == 422
    assert f'name="ids" value="{device.pk}"'.encode() in answer.content
    assert Ownership.objects.get().ended_at is None


def test_a_selection_that_is_too_large_is_refused_as_a_whole(staff_client, make_devices, customer, monkeypatch):
    monkeypatch.setattr("console.bulk.MOST", 2)
    make_devices(3)
    response = staff_client.post(reverse("devices:device_assign"), {"all": "1", "customer": customer.pk})
    assert response.status_code == 422
    assert "More than 2 are selected. Narrow the filters and do it in parts." in response.content.decode()
    assert not Device.objects.filter(customer=customer).exists()


@pytest.mark.parametrize("ids", ["", "x", "1;2", "9" * 30])
def test_an_empty_selection_is_refused(staff_client, ids):
    assert staff_client.get(reverse("devices:device_assign"), {"ids": ids}).status_code == 422


def test_more_than_two_hundred_devices_become_an_operation(staff_client, make_devices, customer):
    make_devices(201)
    answer = forms.act(staff_client, reverse("devices:device_assign"), {"all": "1"}, customer=customer.pk)
    assert answer.url.startswith("/operations/")
    assert not Ownership.objects.exists()


def test_scanning_a_device_into_the_search_opens_its_page(staff_client, device):
    for typed in ("AQM26-100000", "aqm26-100000", device.device_name.upper()):
        answer = staff_client.get(reverse("console:search"), {"q": typed})
        assert (answer.status_code, answer.url) == (302, device.get_absolute_url())


def test_products_are_created_with_a_slug_generated_from_the_name(staff_client):
    staff_client.post(reverse("devices:product_create"), {"name": "Wind Gauge", "ownership_mode": "customer"})
    answer = staff_client.post(
        reverse("devices:product_create"), {"name": "wind  gauge", "slug": "x", "ownership_mode": "customer"}
    )
    assert answer.status_code == 422
    assert "Another product has this name." in answer.context["form"].errors["name"]


def test_a_product_of_a_single_account_needs_the_account(staff_client, organization):
    sent = {"name": "Fleet", "ownership_mode": "single_account"}
    answer = staff_client.post(reverse("devices:product_create"), sent)
    assert answer.status_code == 422
    account = factories.make_customer(organization, "Our fleet", kind="internal")
    staff_client.post(reverse("devices:product_create"), {**sent, "single_account": account.pk})
    product = Product.objects.get()
    staff_client.post(
        reverse("devices:device_create"), {"product": product.pk, "serial_number": "F-1", "device_name": "fleet-1"}
    )
    assert Device.objects.get().customer == account
