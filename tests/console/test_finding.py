"""A filter finds all that it says: no search cuts what it found, in the list, the export and over REST."""

import pytest

from claims.models import Return, Shipment
from console import counts, finding, words
from console.search import find_all
from customers.models import Customer
from devices.models import Device
from tests import factories
from tests.claims.worlds import make_many_devices

pytestmark = pytest.mark.django_db
MANY = 1_100


def found(api, path, **query):
    """The ids of all pages."""
    ids, cursor = [], None
    while True:
        said = api.get(path, limit=200, **query, **({"cursor": cursor} if cursor else {})).json()
        ids += [row["id"] for row in said["results"]]
        cursor = said["next"]
        if not cursor:
            return ids


def make_returns(organization, customer, device_ids):
    Return.objects.bulk_create(
        [
            Return(organization=organization, customer=customer, device_id=pk, number=number, state="cancelled")
            for number, pk in enumerate(device_ids, 1)
        ],
        batch_size=500,
    )


def lines_of(answer):
    return len(b"".join(answer.streaming_content).decode().strip().splitlines()) - 1


@pytest.mark.parametrize("cap", [10_000, 1_000])
def test_the_search_of_returns_finds_devices_beyond_the_first_thousand(
    organization, product, customer, api, client_for, alice, monkeypatch, cap
):
    monkeypatch.setattr(counts, "CAP", cap)
    units = make_many_devices(product, MANY)
    other = factories.make_device(product, "XYZ-1")
    make_returns(organization, customer, [*units[-30:], other.pk])
    expected = set(Return.objects.exclude(device=other).values_list("pk", flat=True))
    assert set(found(api, "/returns", q="bulk")) == expected
    assert set(found(api, "/returns", q="bulk-0010")) == expected
    client = client_for(alice)
    assert len(client.get("/returns/?q=bulk").context["page"].rows) == 30
    assert lines_of(client.get("/returns/export/?q=bulk&format=csv")) == 30
    # A number beside the serial number finds both.
    number = Return.objects.get(device=other).number
    assert set(found(api, "/returns", q=str(number))) == {Return.objects.get(device=other).pk}


def test_the_search_of_shipments_finds_more_than_a_thousand(organization, customer, api):
    Shipment.objects.bulk_create(
        [
            Shipment(
                organization=organization,
                customer=customer,
                number=n,
                order_number=f"PO-{n}",
                order_key=f"po-{n}",
                created_by="Alice",
            )
            for n in range(1, MANY + 1)
        ],
        batch_size=500,
    )
    assert len(found(api, "/shipments", q="po-")) == MANY


@pytest.mark.parametrize("cap", [10_000, 20])
def test_the_search_of_devices_by_both_names_finds_all(product, api, monkeypatch, cap):
    """Beyond the cap of what is counted, too, where the ranges of two indexes meet."""
    monkeypatch.setattr(counts, "CAP", cap)
    rows = [
        Device(organization=product.organization, product=product, serial_number=f"AB-{n}", device_name=f"zz{n:06d}")
        for n in range(60)
    ]
    rows += [
        Device(organization=product.organization, product=product, serial_number=f"ZZ-{n}", device_name=f"ab{n:06d}")
        for n in range(60)
    ]
    for row in rows:
        row.set_keys()
    Device.objects.bulk_create(rows)
    assert len(found(api, "/devices", q="ab")) == 120


@pytest.mark.parametrize("cap", [10_000, 20])
def test_the_search_of_customers_by_name_and_reference_finds_all(organization, api, monkeypatch, cap):
    monkeypatch.setattr(counts, "CAP", cap)
    rows = [Customer(organization=organization, name=f"Kettle {n}") for n in range(60)]
    rows += [Customer(organization=organization, name=f"Zoo {n}", reference=f"ket-{n}") for n in range(60)]
    for row in rows:
        row.set_keys()
    words.write("customer", {row.pk: row.name for row in Customer.objects.bulk_create(rows)})
    assert len(found(api, "/customers", q="ket")) == 120


def test_cut_at_a_few_the_search_of_returns_is_wrong(organization, product, customer, api, monkeypatch):
    """The negative control: what was before."""
    from django.db.models import Q

    from claims.returns.filters import ReturnFilter
    from console.fields import prefix

    def cut(self, queryset, name, value):
        low, high = prefix(value)
        units = Device.objects.filter(serial_key__gte=low, serial_key__lt=high).order_by("pk")
        return queryset.filter(Q(device__in=list(units.values_list("pk", flat=True)[: finding.FEW])))

    monkeypatch.setattr(ReturnFilter, "search", cut)
    make_returns(organization, customer, make_many_devices(product, MANY)[-30:])
    assert found(api, "/returns", q="bulk") == []


def test_the_search_of_everything_says_that_there_is_more_and_leads_to_all(product, client_for, alice, actor):
    make_many_devices(product, 25)
    answer = client_for(alice).get("/search/?q=bulk&all=1")
    page = answer.content.decode()
    assert "Only the first 20 of a kind are shown." in page
    assert 'href="/devices/?q=bulk"' in page
    assert len(find_all(actor(alice), "bulk", 20)) == 20
    assert "Only the first" not in client_for(alice).get("/search/?q=bulk-00000&all=1").content.decode()


def test_the_form_of_a_shipment_says_that_it_lists_some_of_the_products_only(organization, product, client_for, alice):
    client, sentence = client_for(alice), "Only the first 60 products by name are listed."
    assert sentence not in client.get("/shipments/new/").content.decode()
    for number in range(60):
        factories.make_product(organization, f"Probe {number}")
    assert sentence in client.get("/shipments/new/").content.decode()
