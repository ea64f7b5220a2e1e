"""Customers request returns in the portal, get a number and a slip, and see the state of each return."""

import io

import pypdfium2
import pytest
import zxingcpp

from claims.models import Return, ReturnReason, ReturnSettings
from claims.returns.actions import returns
from console.models import Event
from customers.projects.actions import projects
from devices import ledger
from devices.acts import Act
from devices.models import Device
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(owned, customer, dana):
    return returns.request(owned, customer=customer, reason="Defective", note="blinks red", by=factories.actor_of(dana))


def test_an_owner_requests_a_return_and_keeps_the_device_until_it_arrives(client_for, dana, owned, customer):
    client = client_for(dana)
    assert f"/portal/devices/{owned.pk}/send-back/" in client.get(f"/portal/devices/{owned.pk}/").content.decode()
    page = client.get(f"/portal/devices/{owned.pk}/send-back/")
    assert "Damaged in transit" in page.content.decode()
    assert "End of contract" not in page.content.decode()
    answer = client.post(f"/portal/devices/{owned.pk}/send-back/", {"reason": "Defective", "note": "blinks red"})
    row = Return.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/portal/returns/{row.pk}/")
    assert (row.code, row.state, row.customer, row.customer_note) == ("R-00001", "requested", customer, "blinks red")
    assert Device.objects.get(pk=owned.pk).customer == customer
    event = Event.objects.get(kind="device.return_requested")
    assert (event.subject_id, event.object_id, event.actor_id) == (owned.pk, customer.pk, dana.pk)
    assert "R-00001" in client.get(f"/portal/devices/{owned.pk}/").content.decode()
    assert "R-00001" in client.get("/portal/returns/").content.decode()


def test_a_second_request_leads_to_the_same_return(client_for, dana, asked):
    client = client_for(dana)
    for answer in (
        client.get(f"/portal/devices/{asked.device_id}/send-back/"),
        client.post(f"/portal/devices/{asked.device_id}/send-back/", {"reason": "Other"}),
    ):
        assert (answer.status_code, answer.url) == (302, f"/portal/returns/{asked.pk}/")
    assert Return.objects.count() == 1


def test_a_reason_that_is_not_offered_is_refused_at_its_field(client_for, dana, owned):
    answer = client_for(dana).post(f"/portal/devices/{owned.pk}/send-back/", {"reason": "End of contract"})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["reason"])
    assert not Return.objects.exists()


def test_another_customer_cannot_find_the_return(client_for, erin, charlie, asked):
    for person in (erin, charlie):
        client = client_for(person)
        for url in (
            f"/portal/returns/{asked.pk}/",
            f"/portal/returns/{asked.pk}/slip.pdf",
            f"/portal/devices/{asked.device_id}/send-back/",
        ):
            assert client.get(url).status_code == 404, url
        assert client.post(f"/portal/returns/{asked.pk}/cancel/").status_code == 404
        assert client.post(f"/portal/devices/{asked.device_id}/send-back/", {"reason": "Other"}).status_code == 404
        assert "R-00001" not in client.get("/portal/returns/").content.decode()
    asked.refresh_from_db()
    assert asked.state == "requested"


def test_people_with_shared_access_and_viewers_cannot_send_a_device_back(
    client_for, erin, owned, customer, other_customer, by_alice
):
    ledger.share(
        [owned.pk], Act(by_alice), customer=other_customer, project=projects.default_of(other_customer), reason="claim"
    )
    viewer = factories.make_person(customer, "looks@aalen.example", "viewer")
    for person in (erin, viewer):
        client = client_for(person)
        assert "send-back" not in client.get(f"/portal/devices/{owned.pk}/").content.decode()
        assert client.post(f"/portal/devices/{owned.pk}/send-back/", {"reason": "Other"}).status_code == 404
    assert not Return.objects.exists()


@pytest.fixture
def by_alice(actor, alice):
    return actor(alice)


def test_an_owner_can_cancel_the_request_until_the_device_arrives(client_for, dana, asked, actor, bob):
    client = client_for(dana)
    client.post(f"/portal/returns/{asked.pk}/cancel/")
    asked.refresh_from_db()
    assert (asked.state, asked.closed_by) == ("cancelled", "dana@aalen.example")
    again = returns.request(asked.device, customer=asked.customer, reason="Other", by=factories.actor_of(dana))
    returns.begin_receive([asked.device_id], reason="", by=actor(bob))
    client.post(f"/portal/returns/{again.pk}/cancel/")
    again.refresh_from_db()
    assert again.state == "received"
    page = client.get(f"/portal/returns/{again.pk}/").content.decode()
    assert "Arrived" in page
    assert "Cancel return" not in page


def text_and_code(client, row):
    answer = client.get(f"/portal/returns/{row.pk}/slip.pdf")
    assert answer["Content-Type"] == "application/pdf"
    document = pypdfium2.PdfDocument(io.BytesIO(answer.content))
    assert len(document) == 1
    text = document[0].get_textpage().get_text_range()
    codes = zxingcpp.read_barcodes(document[0].render(scale=200 / 72).to_pil())
    return text, [code.text for code in codes]


def test_the_slip_has_the_address_and_a_code_that_the_workbench_reads(client_for, dana, bob, asked, organization):
    ReturnSettings.objects.create(organization=organization, address="Dock 3\n73430 Aalen", note="With its cable")
    text, codes = text_and_code(client_for(dana), asked)
    assert codes == ["R-00001"]
    for word in (
        "R-00001",
        "Dock 3",
        "73430 Aalen",
        "With its cable",
        asked.device.serial_number,
        "Aqua Meter",
        "Stadtwerke Aalen",
        "Defective",
        "blinks red",
    ):
        assert word in text
    assert client_for(bob).post("/returns/workbench/", {"scan": codes[0]}).context["workbench"].ids == [asked.device_id]


def test_return_pages_are_in_german_for_a_german_reader(client_for, dana, asked, organization):
    client = client_for(dana)
    type(dana).objects.filter(pk=dana.pk).update(language="de")
    page = client.get(f"/portal/returns/{asked.pk}/", headers={"Accept-Language": "de"}).content.decode()
    for word in ("Ihre Rücksendungen", "Rücksendeschein (PDF)", "Defekt", "Rücksendung stornieren"):
        assert word in page
    answer = client.get(f"/portal/returns/{asked.pk}/slip.pdf", headers={"Accept-Language": "de"})
    text = pypdfium2.PdfDocument(io.BytesIO(answer.content))[0].get_textpage().get_text_range()
    assert "Rücksendung R-00001" in text
    assert "Defekt" in text


def test_only_the_organizations_reasons_for_customers_are_offered(client_for, dana, owned, organization):
    for number, (name, is_for_customers) in enumerate([("Leaks", True), ("Recall", False)]):
        row = ReturnReason(organization=organization, name=name, position=number, is_for_customers=is_for_customers)
        row.set_keys()
        row.save()
    page = client_for(dana).get(f"/portal/devices/{owned.pk}/send-back/").content.decode()
    assert "Leaks" in page
    assert "Recall" not in page
    assert "Defective" not in page
