"""Shipments: packing reserves devices, shipping assigns them all at one instant, cancelling releases them."""

import csv
from io import StringIO

import pypdfium2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from claims.models import ClaimCode, Shipment, ShipmentUnit
from claims.profiles import printed
from claims.redemption import offers
from claims.returns.actions import returns
from claims.shipments import reconciliation
from claims.shipments.actions import contents, shipments, shipping
from console import operations
from console.errors import Refused
from console.models import Event, Operation
from devices import ledger
from devices.actions import devices as device_actions
from devices.actions import ownership
from devices.models import Device, Ownership
from tests import factories, forms
from tests.claims.worlds import make_unit_profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipment(customer, by):
    return shipments.create(customer=customer, lines={}, by=by, order_number="PO-2611")


@pytest.fixture
def ordered(customer, product, by):
    return shipments.create(customer=customer, lines={product: 2}, by=by, order_number="PO-2612")


def said(answers):
    return [(answer.tone, answer.code, answer.text) for answer in answers]


def status(device):
    return Device.objects.values_list("status", flat=True).get(pk=device.pk)


def serials(*devices):
    return [device.serial_number for device in devices]


def test_a_shipment_gets_the_next_number_and_is_logged(customer, by, product):
    first = shipments.create(customer=customer, lines={product: 5}, by=by, order_number="PO 7", ship_to="Gate 3")
    second = shipments.create(customer=customer, lines={}, by=by)
    assert [first.code, second.code] == ["S-00001", "S-00002"]
    assert list(first.lines.values_list("product", "expected")) == [(product.pk, 5)]
    assert set(Event.objects.filter(kind="shipment.created").values_list("subject_label", "object_label")) == {
        ("S-00001", "Stadtwerke Aalen"),
        ("S-00002", "Stadtwerke Aalen"),
    }


def test_a_scan_reserves_the_device(shipment, device, by):
    answers = contents.scan(shipment, [device.serial_number], by=by)
    assert said(answers) == [("ok", "added", f"{device.serial_number} added, Aqua Meter.")]
    assert status(device) == "reserved"
    shipment.refresh_from_db()
    assert (shipment.unit_count, shipment.units.get().device) == (1, device)
    assert Event.objects.get(kind="device.packed").object_label == "S-00001"


@pytest.mark.parametrize("kind", ["name", "link", "typed", "lower"])
def test_a_device_is_found_by_its_name_and_its_label(shipment, product, device, by, kind):
    make_unit_profile(product)
    label = printed.label(ClaimCode.objects.get(device=device))
    text = {
        "name": device.device_name,
        "link": label.canonical,
        "typed": label.typed,
        "lower": f" {device.serial_number.lower()} ",
    }[kind]
    assert contents.scan(shipment, [text], by=by)[0].code == "added"


def test_each_problem_is_reported_and_changes_nothing(
    ordered, product, make_devices, customer, other_customer, organization, by
):
    gateway = factories.make_product(organization, "Gateway")
    wrong = factories.make_device(gateway, "EG-1")
    owned, mine, back, scrapped, archived, elsewhere, loose = make_devices(7)
    ownership.assign([owned.pk], customer=other_customer, by=by)
    ownership.assign([mine.pk], customer=customer, by=by)
    ledger.set_status([back.pk], frm=["in_stock"], to="returned")
    ledger.set_status([scrapped.pk], frm=["in_stock"], to="scrapped")
    device_actions.archive([archived.pk], by=by)
    other = shipments.create(customer=other_customer, lines={}, by=by)
    contents.pack(other, [elsewhere], by=by)
    contents.pack(ordered, [loose], by=by)
    before = ShipmentUnit.objects.count()
    texts = [*serials(wrong, owned, mine, back, scrapped, archived, elsewhere, loose), "ZZZ-9"]
    answers = contents.scan(ordered, texts, by=by)
    assert {answer.code: (answer.tone, answer.text) for answer in answers} == {
        "wrong_product": ("bad", "Gateway wasn't ordered. EG-1 was not added."),
        "already_owned": ("bad", f"{owned} belongs to {other_customer}. Unclaim it first."),
        "owned_already": ("warn", f"{mine} already belongs to {customer}."),
        "in_quarantine": ("bad", f"{back} was returned and hasn't been inspected yet."),
        "scrapped": ("bad", f"{scrapped} is scrapped."),
        "archived": ("bad", f"{archived} is archived."),
        "reserved": ("bad", f"{elsewhere} is packed in S-00002."),
        "already_here": ("warn", f"{loose} is already in this shipment."),
        "unknown": ("bad", "No device matches ZZZ-9."),
    }
    assert ShipmentUnit.objects.count() == before


def test_more_than_was_ordered_is_refused_even_within_one_list(ordered, make_devices, by):
    answers = contents.scan(ordered, serials(*make_devices(3)), by=by)
    assert [answer.code for answer in answers] == ["added", "too_many"]
    assert answers[0].text == "2 devices added."
    ordered.refresh_from_db()
    assert ordered.unit_count == 2


def test_of_devices_sharing_a_serial_number_the_ordered_one_is_packed(ordered, product, organization, by):
    gateway = factories.make_product(organization, "Gateway")
    meter, _other = (factories.make_device(each, "TWIN-1") for each in (product, gateway))
    assert contents.scan(ordered, ["TWIN-1"], by=by)[0].code == "added"
    assert ordered.units.get().device == meter


def test_otherwise_a_shared_serial_number_asks_which_device_is_meant(shipment, product, organization, by):
    gateway = factories.make_product(organization, "Gateway")
    twins = [factories.make_device(each, "TWIN-1") for each in (product, gateway)]
    answer = contents.scan(shipment, ["TWIN-1"], by=by)[0]
    assert (answer.code, answer.twins) == ("ambiguous", twins)
    assert not shipment.units.exists()


def test_a_device_of_another_organization_is_unknown(shipment, charlie_world, by):
    assert contents.scan(shipment, [charlie_world.serial_number], by=by)[0].code == "unknown"
    assert status(charlie_world) == "in_stock"


@pytest.fixture
def charlie_world(db):
    return factories.make_device(factories.make_product(factories.make_organization("Kreuzfeld"), "Thing"), "KF-1")


def test_a_packed_device_can_neither_be_claimed_by_others_nor_assigned(shipment, product, device, other_customer, by):
    make_unit_profile(product)
    contents.pack(shipment, [device], by=by)
    offer = offers.of(offers.get(ClaimCode.objects.get(device=device).pk))
    with pytest.raises(Refused) as refused:
        offers.check(offer, host="localhost", customer=other_customer)
    assert refused.value.code == "reserved"
    outcome = ownership.assign([device.pk], customer=other_customer, by=by)
    assert [each.code for each in outcome.refused] == ["reserved"]


def test_packers_can_undo_their_own_last_scan_but_nobody_elses(shipment, make_devices, by, actor, bob):
    first, second = make_devices(2)
    contents.pack(shipment, [first], by=by)
    contents.pack(shipment, [second], by=actor(bob))
    assert contents.undo_last(shipment, by=by) == first
    assert (status(first), status(second)) == ("in_stock", "reserved")
    assert contents.undo_last(shipment, by=by) is None
    shipment.refresh_from_db()
    assert shipment.unit_count == 1


def test_shipping_assigns_all_devices_at_one_instant(shipment, make_devices, customer, by):
    units = make_devices(3)
    contents.pack(shipment, units, by=by)
    operation = shipping.ship(shipment, by=by)
    shipment.refresh_from_db()
    assert (operation.state, operation.succeeded, shipment.state) == ("done", 3, "shipped")
    spans = Ownership.objects.values_list("customer", "start_reason", "start_evidence", "started_at", "ended_at")
    assert set(spans) == {(customer.pk, "shipment", f"shipment:{shipment.pk}", shipment.shipped_at, None)}
    assert set(Device.objects.values_list("status", "customer")) == {("owned", customer.pk)}
    assert not ShipmentUnit.objects.filter(is_open=True).exists()
    assert Event.objects.filter(kind="device.assigned", object_id=customer.pk).count() == 3
    assert operation.sentence == "3 devices shipped to Stadtwerke Aalen."


def test_the_worker_ships_more_than_two_hundred_devices(shipment, make_devices, by):
    contents.pack(shipment, make_devices(201), by=by)
    operation = shipping.ship(shipment, by=by)
    shipment.refresh_from_db()
    assert (operation.state, shipment.state) == ("waiting", "shipping")
    with pytest.raises(Refused) as refused:
        contents.pack(shipment, make_devices(1), by=by)
    assert refused.value.sentence == "S-00001 is being shipped, so this is no longer possible."
    operations.run(operation.pk)
    shipment.refresh_from_db()
    assert (shipment.state, Ownership.objects.count()) == ("shipped", 201)


def test_nothing_is_shipped_if_one_device_cannot_be(shipment, make_devices, customer, by):
    units = make_devices(3)
    contents.pack(shipment, units, by=by)
    Device.objects.filter(pk=units[1].pk).update(status="scrapped")
    with pytest.raises(Refused) as refused:
        shipping.ship(shipment, by=by)
    assert refused.value.sentence == f"Nothing was shipped. {units[1]}: It has been scrapped."
    shipment.refresh_from_db()
    assert (shipment.state, shipment.shipped_at, Ownership.objects.count()) == ("open", None, 0)
    assert not Operation.objects.exists()
    Device.objects.filter(pk=units[1].pk).update(status="reserved")


def test_a_refused_background_shipping_leaves_the_shipment_open(shipment, make_devices, customer, by):
    units = make_devices(201)
    contents.pack(shipment, units, by=by)
    operation = shipping.ship(shipment, by=by)
    Device.objects.filter(pk=units[7].pk).update(status="scrapped")
    operations.run(operation.pk)
    operation.refresh_from_db()
    shipment.refresh_from_db()
    assert (operation.state, shipment.state, Ownership.objects.count()) == ("failed", "open", 0)
    Device.objects.filter(pk=units[7].pk).update(status="reserved")


def test_an_empty_shipment_cannot_be_shipped(shipment, by):
    with pytest.raises(Refused) as refused:
        shipping.ship(shipment, by=by)
    shipment.refresh_from_db()
    assert (refused.value.code, shipment.state) == ("empty", "open")


def test_a_shipment_is_shipped_once(shipment, device, by):
    contents.pack(shipment, [device], by=by)
    shipping.ship(shipment, by=by)
    with pytest.raises(Refused) as refused:
        shipping.ship(shipment, by=by)
    assert refused.value.sentence == "S-00001 is shipped, so this is no longer possible."
    assert Ownership.objects.count() == 1


def test_cancelling_releases_the_devices(shipment, make_devices, by):
    units = make_devices(2)
    contents.pack(shipment, units, by=by)
    assert shipments.cancel(shipment, by=by) == 2
    shipment.refresh_from_db()
    assert (shipment.state, {status(unit) for unit in units}) == ("cancelled", {"in_stock"})
    other = shipments.create(customer=shipment.customer, lines={}, by=by)
    assert contents.pack(other, units, by=by)[0].code == "added"


def test_an_abandoned_shipping_reopens_the_shipment(shipment, make_devices, by):
    contents.pack(shipment, make_devices(201), by=by)
    operation = shipping.ship(shipment, by=by)
    with pytest.raises(Refused):
        shipments.reopen(Shipment.objects.get(pk=shipment.pk), by=by)
    Operation.objects.filter(pk=operation.pk).update(state="failed")
    shipments.reopen(Shipment.objects.get(pk=shipment.pk), by=by)
    shipment.refresh_from_db()
    assert (shipment.state, shipment.unit_count) == ("open", 201)


def test_the_customer_is_emailed_on_request(customer, make_devices, by, mailoutbox):
    customer.email = "lager@aalen.example"
    customer.save(update_fields=["email"])
    shipment = shipments.create(customer=customer, lines={}, by=by, order_number="PO-9", tells_customer=True)
    units = make_devices(2)
    contents.pack(shipment, units, by=by)
    shipping.ship(shipment, by=by)
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (["lager@aalen.example"], "Northlake has shipped 2 devices to you")
    assert all(unit.serial_number in mail.body for unit in units) and "PO-9" in mail.body


def test_the_outcome_of_a_shipment_is_counted(ordered, make_devices, product, customer, other_customer, by):
    kept, back = make_devices(2)
    contents.pack(ordered, [kept, back], by=by)
    shipping.ship(ordered, by=by)
    returns.begin_receive([back.pk], reason="Defective", by=by)
    (row,) = reconciliation.balance(Shipment.objects.get(pk=ordered.pk))
    assert (row.expected, row.shipped, row.owned, row.returned, row.missing, row.short) == (2, 2, 1, 1, 0, 0)
    ownership.unclaim([kept.pk], reason="moved", by=by)
    (row,) = reconciliation.balance(Shipment.objects.get(pk=ordered.pk))
    assert (row.owned, row.returned, row.missing) == (0, 1, 1)


# Pages


def url(name, shipment):
    return reverse(f"claims:shipment_{name}", args=[shipment.pk])


def test_a_shipment_is_opened_packed_and_shipped_in_the_browser(staff_client, customer, product, make_devices):
    units = make_devices(2)
    answer = staff_client.post(
        reverse("claims:shipment_create"),
        {"customer": customer.name, "order_number": "PO-1", f"expected_{product.pk}": "2"},
    )
    shipment = Shipment.objects.get()
    assert answer.url == url("pack", shipment)
    for number, unit in enumerate(units, 1):
        page = staff_client.post(url("pack", shipment), {"scan": unit.serial_number}).content.decode()
        assert f"{unit.serial_number} added, Aqua Meter." in page
        assert f"{number} / 2" in page
    assert "Ship 2 devices to Stadtwerke Aalen?" in staff_client.get(url("ship", shipment)).content.decode()
    assert staff_client.post(url("ship", shipment)).url == url("detail", shipment)
    assert Ownership.objects.filter(customer=customer).count() == 2
    assert "2 devices shipped to Stadtwerke Aalen." in staff_client.get(url("detail", shipment)).content.decode()


def test_a_scan_takes_as_many_queries_in_a_full_shipment_as_in_an_empty_one(
    staff_client, shipment, make_devices, by, django_assert_max_num_queries
):
    one, *many, last = make_devices(42)
    staff_client.get("/devices/")
    with django_assert_max_num_queries(40) as first:
        staff_client.post(
            url("pack", shipment),
            {"scan": one.serial_number},
            headers={"HX-Request": "true", "HX-Target": "workbench-content"},
        )
    contents.pack(shipment, many, by=by)
    with django_assert_max_num_queries(len(first)):
        staff_client.post(
            url("pack", shipment),
            {"scan": last.serial_number},
            headers={"HX-Request": "true", "HX-Target": "workbench-content"},
        )


def test_a_list_can_be_pasted_and_devices_taken_out(staff_client, shipment, make_devices):
    units = make_devices(3)
    page = staff_client.post(url("pack", shipment), {"list": "\n".join([*serials(*units), "nothing"])}).content.decode()
    assert "3 devices added." in page and "No device matches nothing." in page
    assert f"Removed {units[2]}." in staff_client.post(url("unpack", shipment)).content.decode()
    page = staff_client.post(url("unpack", shipment), {"device": units[0].pk}).content.decode()
    assert f"Removed {units[0]}." in page
    assert [status(unit) for unit in units] == ["in_stock", "reserved", "in_stock"]


def test_a_photo_of_labels_is_read(staff_client, shipment, product, make_devices):
    unit = make_devices(1)[0]
    make_unit_profile(product)
    picture = printed.label(ClaimCode.objects.get(device=unit)).draw().png()
    page = staff_client.post(url("pack", shipment), {"photo": SimpleUploadedFile("label.png", picture, "image/png")})
    assert f"{unit.serial_number} added" in page.content.decode()
    page = staff_client.post(url("pack", shipment), {"photo": SimpleUploadedFile("x.png", b"no picture", "image/png")})
    assert page.status_code == 200 and 'class="answer bad"' in page.content.decode()


def test_a_list_takes_as_many_queries_as_one_scan(shipment, make_devices, by, django_assert_max_num_queries):
    one, *many = make_devices(60)
    with django_assert_max_num_queries(40) as first:
        contents.scan(shipment, [one.serial_number], by=by)
    # One more on PostgreSQL, where many rows are locked in the order of their ids first.
    with django_assert_max_num_queries(len(first) + 1):
        answers = contents.scan(shipment, serials(*many), by=by)
    assert said(answers) == [("ok", "added", "59 devices added.")]


def test_a_list_that_is_too_long_is_refused_as_a_whole(staff_client, shipment, device, monkeypatch):
    monkeypatch.setattr("claims.scanning.scans.MOST_LINES", 2)
    page = staff_client.post(url("pack", shipment), {"list": f"{device.serial_number}\nB\nC"}).content.decode()
    assert "The list has 3 lines. Paste at most 2 at once." in page
    assert status(device) == "in_stock"


def test_an_outdated_packing_page_is_redirected_to_the_shipment(staff_client, shipment, device, by):
    contents.pack(shipment, [device], by=by)
    shipping.ship(shipment, by=by)
    answer = staff_client.get(url("pack", shipment), headers={"HX-Request": "true", "HX-Target": "counts"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, url("detail", shipment))
    assert staff_client.get(url("pack", shipment)).url == url("detail", shipment)


def test_orders_of_an_archived_product_are_kept_and_changes_are_logged(
    staff_client, ordered, product, organization, customer
):
    type(product).objects.filter(pk=product.pk).update(archived_at=ordered.created_at)
    gateway = factories.make_product(organization, "Gateway")
    assert forms.edit(staff_client, url("edit", ordered), **{f"expected_{gateway.pk}": "3"}).status_code == 302
    assert dict(ordered.lines.values_list("product", "expected")) == {product.pk: 2, gateway.pk: 3}
    assert Event.objects.get(kind="shipment.edited").data["expected"] == [
        "2 × Aqua Meter",
        "2 × Aqua Meter, 3 × Gateway",
    ]


def test_the_customer_cannot_be_changed_while_devices_are_packed(
    staff_client, shipment, device, other_customer, customer, by
):
    contents.pack(shipment, [device], by=by)
    answer = forms.edit(staff_client, url("edit", shipment), customer=other_customer.name)
    assert answer.status_code == 422
    assert "Devices are packed for Stadtwerke Aalen." in answer.content.decode()
    assert Shipment.objects.get().customer == customer


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"q": "po-26"}, ["S-00001"]),
        ({"q": "S-2"}, ["S-00002"]),
        ({"q": "nothing"}, []),
        ({"state": "open"}, ["S-00002", "S-00001"]),
        ({"state": "shipped"}, []),
        ({}, ["S-00002", "S-00001"]),
    ],
)
def test_the_list_of_shipments_can_be_searched_and_filtered(staff_client, shipment, customer, by, query, codes):
    shipments.create(customer=customer, lines={}, by=by)
    page = staff_client.get(reverse("claims:shipment_list"), query)
    assert [row.code for row in page.context["page"].rows] == codes


def test_the_list_takes_as_many_queries_for_many_shipments_as_for_one(
    staff_client, customer, by, django_assert_max_num_queries
):
    shipments.create(customer=customer, lines={}, by=by)
    staff_client.get(reverse("claims:shipment_list"))
    for _each in range(20):
        shipments.create(customer=customer, lines={}, by=by)
    with django_assert_max_num_queries(8):
        staff_client.get(reverse("claims:shipment_list"))


def test_the_packing_list_names_every_serial_number(staff_client, ordered, make_devices, by):
    units = make_devices(2)
    contents.pack(ordered, units, by=by)
    answer = staff_client.get(url("packing_list", ordered))
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(answer.content))
    assert all(unit.serial_number in text for unit in units)
    assert "S-00001" in text and "PO-2612" in text and "Stadtwerke Aalen" in text
    table = list(csv.reader(StringIO(b"".join(staff_client.get(url("export", ordered))).decode("utf-8-sig"))))
    assert [row[4] for row in table[1:]] == serials(*units)


@pytest.mark.parametrize("name", ["pack", "unpack", "ship", "cancel", "edit", "reopen"])
def test_a_viewer_cannot_change_shipments(client_for, shipment, device, name):
    answer = client_for("viewer").post(url(name, shipment), {"scan": device.serial_number})
    assert (answer.status_code, status(device)) == (403, "in_stock")


@pytest.mark.parametrize("text", ["S-00001", "PO-2611", "po-2611"])
def test_search_opens_a_shipment(staff_client, shipment, text):
    assert staff_client.get(reverse("console:search"), {"q": text}).url == url("detail", shipment)


def test_the_pages_of_device_and_customer_name_the_shipment(staff_client, shipment, device, customer, by):
    contents.pack(shipment, [device], by=by)
    for page in (device.get_absolute_url(), customer.get_absolute_url()):
        assert "S-00001" in staff_client.get(page).content.decode()
