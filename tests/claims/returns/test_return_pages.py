"""The pages of returns: the workbench, the lists, the inspection, the settings."""

import re

import pytest
from django.urls import reverse

from claims.models import ClaimCode, Return, ReturnReason, ReturnSettings
from claims.profiles import printed
from claims.returns.actions import returns
from claims.shipments.actions import contents, shipments
from console.models import Operation
from devices import ledger
from devices.actions import ownership
from devices.models import Device
from tests import factories, forms
from tests.claims.worlds import make_unit_profile

pytestmark = pytest.mark.django_db
WORKBENCH = "/returns/workbench/"


@pytest.fixture
def desk(client_for, bob):
    return client_for(bob)


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def ids(devices):
    return ",".join(str(device.pk) for device in devices)


def test_a_scan_puts_a_device_on_the_workbench_and_changes_nothing_else(desk, owned_devices, customer):
    answer = desk.post(WORKBENCH, {"scan": owned_devices[0].serial_number.lower()})
    assert answer.status_code == 200
    said = text_of(answer)
    assert f"{owned_devices[0].serial_number} can be received." in said
    for word in ("Stadtwerke Aalen", "since", "Order 4711", "first owned 0 days ago", "Receive 1 device"):
        assert word in said
    assert answer.context["workbench"].joined == str(owned_devices[0].pk)
    assert not Return.objects.exists()


def test_htmx_gets_only_the_workbench_and_its_button(desk, owned_devices):
    answer = desk.post(WORKBENCH, {"scan": owned_devices[0].device_name}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert page.lstrip().startswith('<div id="workbench-content"')
    assert 'data-tone="ok"' in page
    assert 'id="receive-button"' in page
    assert 'hx-swap-oob="true"' in page
    assert "<html" not in page


def test_the_workbench_accepts_everything_that_a_scanner_reads(desk, owned_devices, product, by_bob, customer, dana):
    make_unit_profile(product)
    label = printed.label(ClaimCode.objects.get(device=owned_devices[0]))
    asked = returns.request(owned_devices[1], customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    for text, device in [
        (label.typed, owned_devices[0]),
        (label.canonical, owned_devices[0]),
        (asked.code, owned_devices[1]),
        ("r-1", owned_devices[1]),
        (owned_devices[2].device_name.upper(), owned_devices[2]),
    ]:
        assert desk.post(WORKBENCH, {"scan": text}).context["workbench"].ids == [device.pk], text


def test_each_device_of_a_pasted_list_is_put_on_the_workbench_once(desk, owned_devices):
    listed = "\n".join(
        [owned_devices[0].serial_number, owned_devices[1].serial_number, owned_devices[0].serial_number, "nothing"]
    )
    workbench = desk.post(WORKBENCH, {"list": listed, "ids": ids(owned_devices[:1])}).context["workbench"]
    assert [(a.tone, a.text.split(" ")[-1]) for a in workbench.answers] == [
        ("warn", "workbench."),
        ("ok", "received."),
        ("bad", "number."),
    ]
    assert workbench.ids == [owned_devices[1].pk, owned_devices[0].pk]
    assert workbench.tone == "bad"


def test_the_workbench_says_what_it_cannot_receive(desk, owned_devices, make_devices, by_bob, foreign_device):
    scrapped, stock = make_devices(2)
    ledger.set_status([scrapped.pk], frm=["in_stock"], to="scrapped")
    returns.begin_receive([owned_devices[0].pk], reason="Defective", by=by_bob)
    scans = "\n".join(d.serial_number for d in (owned_devices[0], scrapped, stock, foreign_device))
    answer = desk.post(WORKBENCH, {"list": scans})
    said = text_of(answer)
    assert "It has already been received as R-00001." in said
    assert "It has been scrapped." in said
    assert "It has no owner. Tick to receive it into quarantine anyway." in said
    assert f"No device matches {foreign_device.serial_number}." in said
    assert [line.is_received for line in answer.context["workbench"].lines] == [False, False, False]
    ticked = desk.post(WORKBENCH, {"ids": ids([stock]), "anyway": stock.pk}).context["workbench"]
    assert ticked.fit == 1


def test_an_outdated_label_finds_nothing_and_the_answer_says_what_to_do(desk, owned_devices, product, by_bob):
    make_unit_profile(product)
    label = printed.label(ClaimCode.objects.get(device=owned_devices[0]))
    returns.begin_receive([owned_devices[0].pk], reason="Defective", by=by_bob)
    said = text_of(desk.post(WORKBENCH, {"scan": label.typed}))
    assert "If its label was replaced, type the serial number." in said


def test_a_serial_number_of_several_products_asks_which_device_is_meant(desk, owned_devices, organization):
    twin = factories.make_device(factories.make_product(organization, "Wind Gauge"), owned_devices[0].serial_number)
    workbench = desk.post(WORKBENCH, {"scan": twin.serial_number}).context["workbench"]
    assert (workbench.ids, len(workbench.answers[0].twins)) == ([], 2)
    assert desk.post(WORKBENCH, {"choose": twin.pk}).context["workbench"].ids == [twin.pk]


def test_a_device_can_be_taken_off_the_workbench(desk, owned_devices):
    assert desk.post(WORKBENCH, {"ids": ids(owned_devices), "remove": owned_devices[1].pk}).context[
        "workbench"
    ].ids == [
        owned_devices[0].pk,
        owned_devices[2].pk,
    ]


def test_the_workbench_takes_as_many_queries_for_one_device_as_for_many(
    desk, owned_devices, make_devices, customer, actor, alice, django_assert_max_num_queries
):
    many = make_devices(30)
    ownership.assign([d.pk for d in many], customer=customer, by=actor(alice))
    desk.get(WORKBENCH)
    with django_assert_max_num_queries(14):
        desk.get(f"{WORKBENCH}?ids={ids(many)}")
    with django_assert_max_num_queries(17):
        desk.post(WORKBENCH, {"ids": ids(many), "scan": owned_devices[0].serial_number})


def test_receiving_returns_to_the_workbench_with_links_to_undo_and_inspect(desk, owned_devices):
    answer = desk.post("/returns/receive/", {"ids": ids(owned_devices), "reason": "Defective"}, follow=True)
    assert answer.redirect_chain == [(WORKBENCH, 302)]
    said = text_of(answer)
    assert "3 devices received into quarantine." in said
    operation = Operation.objects.get()
    assert f"/returns/receive/{operation.pk}/undo/" in answer.content.decode()
    assert "/returns/inspect/?ids=" in answer.content.decode()
    undo = desk.get(f"/returns/receive/{operation.pk}/undo/")
    assert "Return 3 devices to their owners" in text_of(undo)
    desk.post(f"/returns/receive/{operation.pk}/undo/")
    assert {d.status for d in Device.objects.filter(pk__in=[d.pk for d in owned_devices])} == {"owned"}


def test_other_buttons_neither_scan_nor_receive_what_is_typed_in_the_field(desk, owned_devices):
    half = {"ids": ids(owned_devices[:2]), "scan": owned_devices[2].serial_number}
    assert desk.post(WORKBENCH, {**half, "remove": owned_devices[1].pk}).context["workbench"].ids == [
        owned_devices[0].pk
    ]
    ticked = desk.post(WORKBENCH, half, headers={"HX-Request": "true", "HX-Trigger-Name": "anyway"})
    assert ticked.context["workbench"].ids == [owned_devices[0].pk, owned_devices[1].pk]
    desk.post("/returns/receive/", {**half, "reason": "Upgrade"})
    assert set(Return.objects.values_list("device", flat=True)) == {owned_devices[0].pk, owned_devices[1].pk}


def test_a_missing_reason_is_reported_at_its_field_and_the_workbench_is_kept(desk, owned_devices):
    answer = desk.post("/returns/receive/", {"ids": ids(owned_devices), "note": "wet"})
    assert answer.status_code == 422
    assert answer.context["form"].errors["reason"] == ["Choose a reason. For some devices, no customer gave one."]
    assert len(answer.context["workbench"].lines) == 3
    assert "wet" in answer.content.decode()
    assert not Return.objects.exists()


def test_refused_devices_are_named_after_receiving(desk, owned_devices, make_devices):
    stock = make_devices(1)[0]
    said = text_of(
        desk.post("/returns/receive/", {"ids": ids([owned_devices[0], stock]), "reason": "Upgrade"}, follow=True)
    )
    assert "1 device received into quarantine." in said
    assert f"{stock.serial_number}: It has no owner." in said


def test_the_list_can_be_filtered_searched_and_counted(
    desk, owned_devices, customer, dana, by_bob, django_assert_max_num_queries
):
    asked = returns.request(owned_devices[0], customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    returns.begin_receive([owned_devices[1].pk], reason="Defective", by=by_bob)
    desk.get("/returns/")
    with django_assert_max_num_queries(8):
        assert "1–2 of 2" in text_of(desk.get("/returns/"))

    def found(query):
        return [row.device_id for row in desk.get(f"/returns/?{query}").context["page"].rows]

    assert found("state=requested") == [owned_devices[0].pk]
    assert found("state=open") == [owned_devices[1].pk, owned_devices[0].pk]
    assert found("reason=Defective") == [owned_devices[1].pk]
    assert found(f"q={asked.code}") == [owned_devices[0].pk]
    assert found(f"q={owned_devices[1].serial_number}") == [owned_devices[1].pk]
    assert found(f"customer={customer.pk}") == [owned_devices[1].pk, owned_devices[0].pk]
    assert found("needs_label=on") == []
    assert found("q=zzz") == []
    export = b"".join(desk.get("/returns/export/?state=received")).decode()
    assert "R-00002" in export
    assert "R-00001" not in export


def test_the_page_of_a_return_shows_its_history(desk, owned_devices, customer, dana, by_bob):
    asked = returns.request(
        owned_devices[0], customer=customer, reason="Upgrade", note="too slow", by=factories.actor_of(dana)
    )
    said = text_of(desk.get(f"/returns/{asked.pk}/"))
    for word in ("R-00001", "Requested", "dana@aalen.example", "too slow", "Stadtwerke Aalen", "Cancel return"):
        assert word in said
    returns.begin_receive([owned_devices[0].pk], reason="", by=by_bob)
    said = text_of(desk.get(f"/returns/{asked.pk}/"))
    assert "Inspect…" in said
    assert "Undo receiving (until" in said
    viewer = text_of(desk.get(f"/devices/{owned_devices[0].pk}/"))
    assert "R-00001" in viewer


def test_support_can_cancel_a_request(desk, owned_devices, customer, dana):
    asked = returns.request(owned_devices[0], customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    desk.post(f"/returns/{asked.pk}/cancel/")
    asked.refresh_from_db()
    assert (asked.state, asked.closed_by) == ("cancelled", "Bob Adeyemi")
    assert desk.post(f"/returns/{asked.pk}/cancel/").status_code == 409


def test_an_inspection_needs_a_grade_and_every_check(desk, owned_devices, by_bob):
    returns.begin_receive([owned_devices[0].pk], reason="Defective", by=by_bob)
    row = Return.objects.get()
    answer = desk.post("/returns/inspect/", {"ids": row.pk, "grade": "b", "check_0": "yes", "decision": "restocked"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"check_1", "check_2", "check_3"}
    assert desk.post("/returns/inspect/", {"ids": row.pk, "decision": "restocked"}).context["form"].errors["grade"] == [
        "Choose a grade."
    ]
    row.refresh_from_db()
    assert row.state == "received"
    full = {"ids": row.pk, "grade": "b", "check_0": "yes", "check_1": "no", "check_2": "yes", "check_3": "yes"}
    assert "Refurbished and back in stock." in text_of(
        desk.post("/returns/inspect/", {**full, "decision": "refurbished"}, follow=True)
    )
    row.refresh_from_db()
    assert (row.state, row.grade, [c["text"] for c in row.checks if not c["is_ok"]]) == (
        "refurbished",
        "b",
        ["Powers on"],
    )


def test_the_label_queue_lists_devices_until_their_label_is_replaced(desk, owned_devices, product, by_bob):
    make_unit_profile(product)
    returns.begin_receive([d.pk for d in owned_devices], reason="Defective", by=by_bob)
    page = desk.get("/returns/labels/")
    assert [row.device_id for row in page.context["page"].rows] == [d.pk for d in owned_devices]
    assert reverse("claims:label_sheet_create") in page.content.decode()
    assert "Are the new labels on 2 devices?" in text_of(
        desk.get(f"/returns/labels/done/?ids={ids(owned_devices[:2])}")
    )
    desk.post("/returns/labels/done/", {"ids": ids(owned_devices[:2])})
    assert [row.device_id for row in desk.get("/returns/labels/").context["page"].rows] == [owned_devices[2].pk]


def test_the_default_reasons_become_the_organizations_own_when_saved(client_for, alice, organization, desk):
    client = client_for(alice)
    page = client.get("/settings/returns/")
    assert not ReturnReason.objects.exists()
    assert "Damaged in transit" in page.content.decode()
    data = forms.shown_in(page, "reasons")
    data |= {
        "reason-0-text": "Broken",
        "reason-1-is_archived": "on",
        "reason-2-position": "1",
        "reason-0-position": "2",
        "reason-7-text": "Water inside",
    }
    assert client.post("/settings/returns/", data).status_code == 302
    form = desk.get(WORKBENCH).context["form"]
    assert [name for name, _label in form.fields["reason"].choices] == [
        "",
        "Not needed any more",
        "Broken",
        "Upgrade",
        "Damaged in transit",
        "End of contract",
        "Other",
        "Water inside",
    ]
    assert ReturnReason.objects.get(name="Wrong item").archived_at is not None
    page = client.get("/settings/returns/")
    assert len([row for row in page.context["reasons"].rows if row.initial.get("pk")]) == 8


def test_two_reasons_with_the_same_name_are_refused(client_for, alice):
    answer = forms.edit(
        client_for(alice),
        "/settings/returns/",
        part="reasons",
        **{"reason-0-text": "Broken", "reason-1-text": "broken"},
    )
    assert answer.status_code == 422
    assert not ReturnReason.objects.exists()


def test_the_return_slip_can_be_configured(client_for, alice, organization):
    client = client_for(alice)
    forms.edit(client, "/settings/returns/", part="slip", address="Dock 3\n73430 Aalen", note="With its cable")
    assert ReturnSettings.objects.get(organization=organization).address == "Dock 3\r\n73430 Aalen".replace(
        "\r\n", "\n"
    )


def test_fulfilment_can_receive_but_not_inspect_or_swap(client_for, owned_devices):
    client = client_for("fulfilment")
    assert client.get(WORKBENCH).status_code == 200
    assert "Swap…" not in text_of(client.post(WORKBENCH, {"scan": owned_devices[0].serial_number}))
    client.post("/returns/receive/", {"ids": ids(owned_devices[:1]), "reason": "Upgrade"})
    row = Return.objects.get()
    assert client.post("/returns/inspect/", {"ids": row.pk, "grade": "a"}).status_code == 403
    assert client.get(f"/devices/{owned_devices[1].pk}/swap/").status_code == 403
    row.refresh_from_db()
    assert row.state == "received"


def test_another_organization_can_neither_see_nor_receive_returns(client_for, charlie, owned_devices, customer, dana):
    asked = returns.request(owned_devices[0], customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    client = client_for(charlie)
    assert client.get(f"/returns/{asked.pk}/").status_code == 404
    assert client.get("/returns/").context["page"].rows == []
    assert client.post(WORKBENCH, {"scan": asked.code}).context["workbench"].ids == []
    client.post("/returns/receive/", {"ids": ids(owned_devices), "reason": "Upgrade"})
    client.post("/returns/inspect/", {"ids": asked.pk, "grade": "a", "decision": "scrapped"})
    assert Return.objects.get().state == "requested"
    assert {d.status for d in Device.objects.filter(customer=customer)} == {"owned"}


def test_global_search_finds_a_return_by_its_number(desk, owned_devices, customer, dana):
    returns.request(owned_devices[0], customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    answer = desk.get("/search/?q=r-00001")
    assert (answer.status_code, answer.url) == (302, Return.objects.get().get_absolute_url())


def test_a_packed_device_on_the_workbench_links_to_its_shipment(desk, make_devices, customer, actor, alice):
    by = actor(alice)
    (unit,) = make_devices(1)
    shipment = shipments.create(customer=customer, lines={}, by=by)
    contents.pack(shipment, [unit], by=by)
    page = desk.post(WORKBENCH, {"scan": unit.serial_number}).content.decode()
    assert f'<a href="/shipments/{shipment.pk}/">Open S-00001</a>' in page


def test_a_pasted_list_takes_as_many_queries_as_one_scan(
    desk, make_devices, customer, actor, alice, django_assert_max_num_queries
):
    one, *many = make_devices(31)
    ownership.assign([one.pk, *(device.pk for device in many)], customer=customer, by=actor(alice))
    desk.get(WORKBENCH)
    with django_assert_max_num_queries(17) as first:
        desk.post(WORKBENCH, {"scan": one.serial_number})
    with django_assert_max_num_queries(len(first)):
        workbench = desk.post(WORKBENCH, {"list": "\n".join(device.serial_number for device in many)}).context[
            "workbench"
        ]
    assert len(workbench.ids) == 30
