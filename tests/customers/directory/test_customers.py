"""The pages of customers and their people."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from console.errors import Refused
from console.models import Event
from customers.directory import actions as customers
from customers.directory import search
from customers.directory.fields import CustomerField
from customers.models import Customer
from devices.actions import ownership
from tests import factories, forms

pytestmark = pytest.mark.django_db


def test_customers_without_devices_are_listed_too(staff_client, customer, other_customer, device, actor, alice):
    ownership.assign([device.pk], customer=customer, by=actor(alice))
    rows = staff_client.get(reverse("customers:customer_list")).context["page"].rows
    assert [(row.name, row.device_count) for row in rows] == [("Hallberg Utilities", 0), ("Stadtwerke Aalen", 1)]


def test_the_list_of_many_customers_takes_few_queries(staff_client, organization, django_assert_max_num_queries):
    for n in range(55):
        factories.make_customer(organization, f"Customer {n:02d}")
    # The sidebar's counts are cached for half a minute.
    staff_client.get(reverse("customers:customer_list"))
    with django_assert_max_num_queries(8):
        assert len(staff_client.get(reverse("customers:customer_list")).context["page"].rows) == 50


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "stadt"}, ["Stadtwerke Aalen"]),
        ({"q": "K-77"}, ["Ferro Agrícola"]),
        ({"q": "MIRIAM@"}, ["Miriam Osei"]),
        ({"q": "m"}, ["Miriam Osei", "Zeta"]),
        ({"q": "nothing like this"}, []),
        ({"q": "  "}, ["Ferro Agrícola", "Miriam Osei", "Stadtwerke Aalen", "Zeta"]),
        ({"kind": "person"}, ["Miriam Osei"]),
        ({"kind": ["person", "internal"]}, ["Miriam Osei", "Zeta"]),
        ({"devices": "yes"}, ["Stadtwerke Aalen"]),
        ({"devices": "no"}, ["Ferro Agrícola", "Miriam Osei", "Zeta"]),
        ({"archived": "on"}, ["Old Co"]),
        ({"sort": "-since"}, ["Zeta", "Miriam Osei", "Ferro Agrícola", "Stadtwerke Aalen"]),
    ],
)
def test_filters_find_matching_customers(staff_client, organization, customer, device, actor, alice, query, names):
    factories.make_customer(organization, "Ferro Agrícola", reference="k-77")
    factories.make_customer(organization, "Miriam Osei", kind="person", email="miriam@osei.example")
    factories.make_customer(organization, "Zeta", kind="internal", reference="M-1")
    factories.make_customer(organization, "Old Co", archived_at="2026-01-01T00:00Z")
    ownership.assign([device.pk], customer=customer, by=actor(alice))
    rows = staff_client.get(reverse("customers:customer_list"), query).context["page"].rows
    assert [row.name for row in rows] == names


def test_a_customer_is_created_with_a_default_project(staff_client):
    answer = staff_client.post(
        reverse("customers:customer_create"), {"kind": "company", "name": "Ferro Agrícola", "reference": "K-77"}
    )
    made = Customer.objects.get()
    assert (answer.status_code, answer.url) == (302, made.get_absolute_url())
    assert (made.projects.get().name, made.projects.get().is_default) == ("Ferro Agrícola", True)
    assert Event.objects.get().kind == "customer.created"


def test_a_duplicate_reference_is_refused_and_the_form_keeps_what_was_typed(staff_client, organization):
    factories.make_customer(organization, "Ferro", reference="K-77")
    answer = staff_client.post(
        reverse("customers:customer_create"), {"kind": "company", "name": "Other", "reference": "k-77"}
    )
    assert answer.status_code == 422
    assert answer.context["form"].errors["reference"] == ["Another customer has this reference."]
    assert b'value="Other"' in answer.content
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("name", ["", " ", "A\u202eB", "x" * 121])
def test_an_invalid_name_is_refused_at_its_field(staff_client, name):
    answer = staff_client.post(reverse("customers:customer_create"), {"kind": "company", "name": name})
    assert answer.status_code == 422
    assert answer.context["form"].errors["name"]
    assert not Customer.objects.exists()


def test_an_edit_is_logged_with_the_old_and_new_values(staff_client, customer):
    forms.edit(staff_client, reverse("customers:customer_edit", args=[customer.pk]), name="Stadtwerke Ulm")
    assert Event.objects.get().data == {"name": ["Stadtwerke Aalen", "Stadtwerke Ulm"]}


def test_a_customer_that_owns_devices_cannot_be_archived(staff_client, customer, make_devices, actor, alice):
    ownership.assign([d.pk for d in make_devices(2)], customer=customer, by=actor(alice))
    answer = staff_client.post(reverse("customers:customer_archive", args=[customer.pk]))
    customer.refresh_from_db()
    assert (answer.status_code, customer.archived_at) == (409, None)
    assert b"owns 2 devices" in answer.content


def test_people_of_an_archived_customer_lose_the_portal(staff_client, customer, dana, client_for):
    staff_client.post(reverse("customers:customer_archive", args=[customer.pk]))
    project = customer.projects.get()
    assert client_for(dana).get(reverse("portal:project_detail", args=[project.pk])).status_code == 404


def test_the_page_shows_devices_owned_now_and_before(staff_client, customer, make_devices, actor, alice):
    by, (now, before) = actor(alice), make_devices(2)
    ownership.assign([now.pk, before.pk], customer=customer, by=by)
    ownership.unclaim([before.pk], reason="returned", by=by)
    content = staff_client.get(customer.get_absolute_url()).content.decode()
    owned, past = content.split("Owned before")
    assert now.serial_number in owned and before.serial_number not in owned
    assert before.serial_number in past


def test_the_customer_field_accepts_ids_names_and_prefixes(organization, customer, other_customer, actor, alice):

    field = CustomerField(queryset=Customer.objects.visible_to(actor(alice)))
    for text in (str(customer.pk), f"Stadtwerke Aalen ({customer.pk})", "stadtwerke aalen", "stadt"):
        assert field.clean(text) == customer
    factories.make_customer(organization, "Stadtwerke Ulm")
    for text, said in (("stadtwerke", "2 customers start"), ("nobody", "No customer has this name"), ("", "required")):
        with pytest.raises(Exception, match=said):
            field.clean(text)


def test_suggestions_stay_within_the_organization(staff_client, customer, other_organization):
    factories.make_customer(other_organization, "Stadtwerke Fremd")
    content = staff_client.get(
        reverse("customers:customer_options"), {"field": "customer", "customer": "stadt"}
    ).content.decode()
    assert "Stadtwerke Aalen" in content
    assert "Fremd" not in content


def test_search_finds_a_customer_by_name_reference_and_address(staff_client, organization):
    made = factories.make_customer(organization, "Ferro Agrícola", reference="K-77", email="info@ferro.example")
    for text in ("ferro agrícola", "k-77", "INFO@ferro.example", "ferro"):
        answer = staff_client.get(reverse("console:search"), {"q": text})
        assert (answer.status_code, answer.url) == (302, made.get_absolute_url()), text


def test_a_filter_takes_no_more_than_eight_queries(staff_client, organization, django_assert_max_num_queries):
    for n in range(55):
        factories.make_customer(organization, f"Customer {n:02d}", reference=f"Custom-{n}")
    query = {"q": "custom", "kind": "company", "devices": "no"}
    staff_client.get(reverse("customers:customer_list"))
    with django_assert_max_num_queries(8):
        assert len(staff_client.get(reverse("customers:customer_list"), query).context["page"].rows) == 50


def test_paging_through_the_list_shows_each_customer_once(staff_client, organization):
    for n in range(120):
        factories.make_customer(organization, f"Customer {n % 7}")
    url, seen = reverse("customers:customer_list"), []
    link = url
    while link:
        page = staff_client.get(link).context["page"]
        seen += [row.pk for row in page.rows]
        link = page.next and url + page.next
    assert (len(seen), len(set(seen))) == (120, 120)


def test_the_kind_of_a_customer_can_be_changed(staff_client, customer):
    url = reverse("customers:customer_edit", args=[customer.pk])
    forms.edit(staff_client, url, kind="internal")
    assert Customer.objects.get().kind == "internal"
    assert Event.objects.get().data == {"kind": ["company", "internal"]}


def test_saving_without_a_change_is_not_logged(staff_client, customer):
    url = reverse("customers:customer_edit", args=[customer.pk])
    assert forms.edit(staff_client, url).status_code == 302
    assert not Event.objects.exists()


def test_an_edit_writes_only_the_changed_fields(customer, actor, alice):
    stale = Customer.objects.get()
    customers.edit(customer, by=actor(alice), phone="1234")
    customers.edit(stale, by=actor(alice), notes="Mind the dog")
    customer.refresh_from_db()
    assert (customer.phone, customer.notes) == ("1234", "Mind the dog")


def test_a_second_customer_with_the_same_name_needs_confirmation(staff_client, customer):
    url, values = reverse("customers:customer_create"), {"kind": "person", "name": "stadtwerke  AALEN"}
    answer = staff_client.post(url, values)
    assert (answer.status_code, Customer.objects.count()) == (422, 1)
    assert customer.get_absolute_url() in answer.content.decode()
    assert staff_client.post(url, {**values, "same_name": "1"}).status_code == 302
    assert sorted(Customer.objects.values_list("name", flat=True)) == ["Stadtwerke Aalen", "stadtwerke AALEN"]


def test_renaming_to_an_existing_name_needs_confirmation_but_other_edits_do_not(staff_client, customer, organization):
    other = factories.make_customer(organization, "Stadtwerke Ulm")
    url = reverse("customers:customer_edit", args=[other.pk])
    assert forms.edit(staff_client, url, name="Stadtwerke Aalen").status_code == 422
    factories.make_customer(organization, "Stadtwerke Ulm")
    assert forms.edit(staff_client, url, phone="1").status_code == 302


def test_a_reference_taken_at_the_same_moment_is_refused_at_its_field(staff_client, organization, monkeypatch):
    factories.make_customer(organization, "Ferro", reference="K-77")
    monkeypatch.setattr("customers.directory.forms.fold", lambda text: text + " that nobody has")
    answer = staff_client.post(
        reverse("customers:customer_create"), {"kind": "company", "name": "Other", "reference": "k-77"}
    )
    assert answer.status_code == 422
    assert answer.context["form"].errors["reference"] == ["Another customer has this reference."]
    assert Customer.objects.count() == 1


def test_the_archive_page_lists_the_devices_that_prevent_it(staff_client, customer, device, actor, alice):
    ownership.assign([device.pk], customer=customer, by=actor(alice))
    url = reverse("customers:customer_archive", args=[customer.pk])
    content = staff_client.get(url).content.decode()
    assert "owns 1 device." in content
    assert f"{reverse('devices:device_list')}?customer={customer.pk}" in content
    assert "Archive customer" not in content


def test_an_archived_customer_gets_no_device_until_restored(staff_client, customer, device, actor, alice):
    staff_client.post(reverse("customers:customer_archive", args=[customer.pk]))
    with pytest.raises(Refused) as refusal:
        ownership.assign([device.pk], customer=customer, by=actor(alice))
    assert refusal.value.code == "archived"
    staff_client.post(reverse("customers:customer_restore", args=[customer.pk]))
    assert ownership.assign([device.pk], customer=customer, by=actor(alice)).done == [device.pk]


def test_a_customer_archived_after_it_was_read_gets_no_device(customer, device, actor, alice):
    stale = Customer.objects.get()
    customers.archive(customer, by=actor(alice))
    with pytest.raises(Refused):
        ownership.assign([device.pk], customer=stale, by=actor(alice))
    device.refresh_from_db()
    assert device.customer_id is None


def test_opening_the_archive_page_archives_nothing(staff_client, customer):
    staff_client.get(reverse("customers:customer_archive", args=[customer.pk]))
    staff_client.get(reverse("customers:customer_restore", args=[customer.pk]))
    assert Customer.objects.get().archived_at is None
    assert not Event.objects.exists()


def test_devices_owned_before_are_paged(staff_client, customer, make_devices, actor, alice):
    by, ids = actor(alice), [device.pk for device in make_devices(23)]
    ownership.assign(ids, customer=customer, by=by)
    ownership.unclaim(ids, reason="returned", by=by)
    url, seen, link = customer.get_absolute_url(), [], customer.get_absolute_url()
    while link:
        content = staff_client.get(link).content.decode().split("Owned before")[1].split("</section>")[0]
        seen += re.findall(r"AQM26-\d{6}", content)
        older = re.search(r'rel="next" href="([^"#]+)#before"', content)
        link = older and url + older[1]
    assert (len(seen), len(set(seen))) == (23, 23)


def test_the_page_of_a_customer_takes_few_queries(staff_client, customer, make_devices, actor, alice):
    by, ids = actor(alice), [device.pk for device in make_devices(30)]
    ownership.assign(ids, customer=customer, by=by)
    staff_client.get(customer.get_absolute_url())
    with CaptureQueriesContext(connection) as queries:
        staff_client.get(customer.get_absolute_url())
    # These include the sidebar's counts, the members of the projects, and how many things each act concerned.
    assert len(queries) <= 20


def test_the_filtered_list_can_be_exported(staff_client, organization, customer):
    factories.make_customer(organization, "=SUM(A1)", kind="person", reference="K-1", notes="@risk")
    answer = staff_client.get(reverse("customers:customer_export"), {"format": "csv", "kind": "person"})
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert lines[0] == ["name", "kind", "reference", "email", "phone", "address", "notes", "since"]
    assert [line[:3] for line in lines[1:]] == [["'=SUM(A1)", "person", "K-1"]]


def test_the_list_can_be_exported_as_a_workbook(staff_client, customer):
    answer = staff_client.get(reverse("customers:customer_export"), {"format": "xlsx"})
    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    assert [row[0].value for row in book.active.rows] == ["name", "Stadtwerke Aalen"]


def test_another_organization_sees_and_changes_nothing(client_for, charlie, customer, dana):
    visitor = client_for(charlie)
    for name in ("detail", "edit", "archive", "restore", "invite"):
        url = reverse(f"customers:customer_{name}", args=[customer.pk])
        assert visitor.post(url, {"kind": "person", "name": "Mine"}).status_code == 404
    assert visitor.get(reverse("customers:customer_list")).context["page"].rows == []
    assert b"Aalen" not in b"".join(visitor.get(reverse("customers:customer_export")).streaming_content)
    customer.refresh_from_db()
    assert (customer.name, customer.kind, customer.archived_at) == ("Stadtwerke Aalen", "company", None)


def test_search_finds_the_customer_of_a_person(staff_client, customer, dana):
    hits = staff_client.get(reverse("console:search"), {"q": "DANA@aalen.example"})
    assert (hits.status_code, hits.url) == (302, customer.get_absolute_url())


def test_search_marks_an_archived_customer(customer, actor, alice):
    customers.archive(customer, by=actor(alice))
    (hit,) = search.find(actor(alice), "stadtwerke aalen", 5)
    assert (hit.title, hit.detail, hit.rank) == ("Stadtwerke Aalen", "Company · archived", 0)
    assert search.find(actor(alice), "stadt", 5) == []
    assert search.find(actor(alice), "", 5) == []


def test_the_overview_counts_customers_and_names_the_newest(staff_client, customer, product, other_customer):
    content = staff_client.get(reverse("console:home")).content.decode().split('id="customers-panel"')[1]
    assert content.index("Hallberg Utilities") < content.index("Stadtwerke Aalen")
    assert ">2<" in content


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "eyJhIjoxfQ", "\U0001f600"])
def test_an_invalid_cursor_is_ignored(staff_client, customer, cursor):
    for url in (reverse("customers:customer_list"), customer.get_absolute_url()):
        assert staff_client.get(url, {"cursor": cursor}).status_code == 200
