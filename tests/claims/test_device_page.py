"""The page of one device, with everything that other features show on it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from claims.models import Return, Shipment
from claims.returns.actions import returns
from claims.shipments.actions import contents, shipments
from customers.models import Customer
from customers.projects.actions import projects
from devices import ledger
from devices.acts import Act
from devices.calls import actions as calls
from devices.models import DeviceTag, Message, Tag
from tests import factories
from tests.claims.worlds import make_unit_profile


@pytest.fixture
def make_device_with(product, organization, by):
    """Return a function that creates a device in stock with the given number of everything a device can have."""

    def make(number: int):
        device = factories.make_device(product)
        for n in range(number):
            customer = factories.make_customer(organization, f"Customer {n} of {number}")
            home = projects.default_of(customer)
            make_unit_profile(
                None, device, organization=organization, slug=f"p{number}-{n}", name=f"Offer {n} of {number}"
            )
            DeviceTag.objects.create(
                device=device,
                tag=Tag.objects.create(organization=organization, name=f"t{number}-{n}", name_key=f"t{number}-{n}"),
            )
            box = shipments.create(customer=customer, lines={}, by=by)
            contents.pack(box, [device], by=by)
            shipments.cancel(box, by=by)
            ledger.assign([device.pk], Act(by), customer=customer, project=home, reason="assignment")
            calls.ask(device, kind="variable", name="battery", by=by)
            Message.objects.create(
                organization=organization, device=device, name="reading", data="{}", at=timezone.now()
            )
            returns.begin_receive([device.pk], reason="Upgrade", by=by)
            Return.objects.filter(device=device).update(state="restocked", closed_at=timezone.now())
            ledger.set_status([device.pk], frm=["returned"], to="in_stock")
            device.refresh_from_db()
        # Receiving ends them, so they come last.
        for customer in Customer.objects.filter(name__endswith=f" of {number}"):
            ledger.share([device.pk], Act(by), customer=customer, project=projects.default_of(customer), reason="claim")
        return device

    return make


def test_the_page_takes_as_many_queries_however_much_the_device_has(make_device_with, client_for, alice):
    client, numbers = client_for(alice), []
    for device in (make_device_with(1), make_device_with(4)):
        client.get(device.get_absolute_url())
        with CaptureQueriesContext(connection) as asked:
            page = client.get(device.get_absolute_url()).content.decode()
        numbers.append(len(asked))
        assert Shipment.objects.filter(units__device=device).last().code in page
        assert Return.objects.filter(device=device).last().code in page
        for text in ("Shared access", "battery", "reading", device.device_tags.first().tag.name):
            assert text in page
    assert numbers == [16, 16]
