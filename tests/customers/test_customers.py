"""Pages of customers and their people."""

import pytest
from django.core import mail
from django.urls import reverse

from console.models import Event, User
from customers.fields import CustomerField
from customers.models import Customer, CustomerUser
from devices.actions import ownership
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_for, alice):
    return client_for(alice)


def test_customers_without_devices_are_listed_too(client, customer, other_customer, device, actor, alice):
    ownership.assign([device.pk], customer=customer, by=actor(alice))
    rows = client.get(reverse("customers:customer_list")).context["page"].rows
    assert [(row.name, row.device_count) for row in rows] == [
        ("Hallberg Utilities", 0),
        ("Stadtwerke Aalen", 1),
    ]


def test_the_list_takes_few_queries_for_many(client, organization, django_assert_max_num_queries):
    for n in range(55):
        factories.make_customer(organization, f"Customer {n:02d}")
    with django_assert_max_num_queries(8):
        assert len(client.get(reverse("customers:customer_list")).context["page"].rows) == 50


@pytest.mark.parametrize(
    ("query", "names"),
    [({"q": "stadt"}, ["Stadtwerke Aalen"]), ({"q": "K-77"}, ["Ferro Agrícola"]), ({"kind": "person"}, ["Miriam Osei"]),
     ({"devices": "yes"}, ["Stadtwerke Aalen"]), ({"archived": "on"}, ["Old Co"]), ({"q": "miriam@"}, ["Miriam Osei"])],
)  # fmt: skip
def test_filters_find_what_they_say(client, organization, customer, device, actor, alice, query, names):
    factories.make_customer(organization, "Ferro Agrícola", reference="k-77")
    factories.make_customer(organization, "Miriam Osei", kind="person", email="miriam@osei.example")
    factories.make_customer(organization, "Old Co", archived_at="2026-01-01T00:00Z")
    ownership.assign([device.pk], customer=customer, by=actor(alice))
    rows = client.get(reverse("customers:customer_list"), query).context["page"].rows
    assert [row.name for row in rows] == names


def test_a_customer_is_made_with_its_project(client):
    answer = client.post(
        reverse("customers:customer_create"),
        {"kind": "company", "name": "Ferro Agrícola", "reference": "K-77"},
    )
    made = Customer.objects.get()
    assert (answer.status_code, answer.url) == (302, made.get_absolute_url())
    assert (made.projects.get().name, made.projects.get().is_default) == ("Ferro Agrícola", True)
    assert Event.objects.get().kind == "customer.made"


def test_a_reference_is_given_once_and_nothing_that_was_typed_is_lost(client, organization):
    factories.make_customer(organization, "Ferro", reference="K-77")
    answer = client.post(
        reverse("customers:customer_create"), {"kind": "company", "name": "Other", "reference": "k-77"}
    )
    assert answer.status_code == 422
    assert answer.context["form"].errors["reference"] == ["Another customer has this reference."]
    assert b'value="Other"' in answer.content
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("name", ["", " ", "A\u202eB", "x" * 121])
def test_a_name_that_is_none_gets_a_sentence(client, name):
    answer = client.post(reverse("customers:customer_create"), {"kind": "company", "name": name})
    assert answer.status_code == 422
    assert answer.context["form"].errors["name"]
    assert not Customer.objects.exists()


def test_editing_tells_what_changed(client, customer):
    client.post(
        reverse("customers:customer_edit", args=[customer.pk]), {"kind": "company", "name": "Stadtwerke Ulm"}
    )
    assert Event.objects.get().data == {"name": ["Stadtwerke Aalen", "Stadtwerke Ulm"]}


def test_a_customer_that_owns_devices_is_not_archived(client, customer, make_devices, actor, alice):
    ownership.assign([d.pk for d in make_devices(2)], customer=customer, by=actor(alice))
    answer = client.post(reverse("customers:customer_archive", args=[customer.pk]))
    customer.refresh_from_db()
    assert (answer.status_code, customer.archived_at) == (409, None)
    assert b"owns 2 devices" in answer.content


def test_the_people_of_an_archived_customer_lose_the_portal(client, customer, dana, client_for):
    client.post(reverse("customers:customer_archive", args=[customer.pk]))
    project = customer.projects.get()
    assert client_for(dana).get(reverse("portal:project_detail", args=[project.pk])).status_code == 404


def test_the_page_shows_what_it_owns_and_owned(client, customer, make_devices, actor, alice):
    by, (now, before) = actor(alice), make_devices(2)
    ownership.assign([now.pk, before.pk], customer=customer, by=by)
    ownership.unclaim([before.pk], reason="returned", by=by)
    content = client.get(customer.get_absolute_url()).content.decode()
    owned, past = content.split("Owned before")
    assert now.serial_number in owned and before.serial_number not in owned
    assert before.serial_number in past


def test_the_field_of_a_customer_understands_ids_names_and_beginnings(
    organization, customer, other_customer, actor, alice
):

    field = CustomerField(queryset=Customer.objects.visible_to(actor(alice)))
    for text in (str(customer.pk), f"Stadtwerke Aalen ({customer.pk})", "stadtwerke aalen", "stadt"):
        assert field.clean(text) == customer
    factories.make_customer(organization, "Stadtwerke Ulm")
    for text, said in (
        ("stadtwerke", "2 customers begin"),
        ("nobody", "No customer of this name"),
        ("", "required"),
    ):
        with pytest.raises(Exception, match=said):
            field.clean(text)


def test_suggestions_stay_in_the_organization(client, customer, other_organization):
    factories.make_customer(other_organization, "Stadtwerke Fremd")
    content = client.get(
        reverse("customers:customer_options"), {"field": "customer", "customer": "stadt"}
    ).content.decode()
    assert "Stadtwerke Aalen" in content
    assert "Fremd" not in content


def test_the_search_finds_a_customer_by_name_reference_and_address(client, organization):
    made = factories.make_customer(
        organization, "Ferro Agrícola", reference="K-77", email="info@ferro.example"
    )
    for text in ("ferro agrícola", "k-77", "INFO@ferro.example", "ferro"):
        answer = client.get(reverse("console:search"), {"q": text})
        assert (answer.status_code, answer.url) == (302, made.get_absolute_url()), text
