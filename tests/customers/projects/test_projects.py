"""A customer's projects in the console."""

import threading

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from console.errors import Refused
from console.models import Event
from customers.models import Customer, Project
from customers.projects.actions import projects
from tests import factories, forms
from tests.extent import extent
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db


def _new(customer):
    return reverse("customers:project_create", args=[customer.pk])


def _rename(project):
    return reverse("customers:project_edit", args=[project.customer_id, project.pk])


def test_a_project_is_created_on_the_customers_page(staff_client, customer):
    page = staff_client.get(customer.get_absolute_url()).content.decode()
    assert f'href="{_new(customer)}"' in page
    answer = staff_client.post(_new(customer), {"name": " North  site "})
    assert (answer.status_code, answer.url) == (302, customer.get_absolute_url())
    made = Project.objects.get(is_default=False)
    assert (made.name, made.customer, made.organization) == ("North site", customer, customer.organization)
    event = Event.objects.get()
    assert (event.kind, event.subject_label, event.object_id) == ("project.created", "North site", customer.pk)
    page = staff_client.get(customer.get_absolute_url()).content.decode()
    assert "North site" in page
    assert 'Alice Kemp</strong> created the project <strong class="strong">North site</strong>' in page


def test_renaming_a_project_is_logged(staff_client, customer):
    made = projects.default_of(customer)
    page = staff_client.get(_rename(made)).content.decode()
    assert f'value="{customer.name}"' in page
    assert forms.edit(staff_client, _rename(made), name="Head office").status_code == 302
    made.refresh_from_db()
    assert (made.name, made.is_default) == ("Head office", True)
    assert Event.objects.get().data == {"name": ["Stadtwerke Aalen", "Head office"]}


def test_an_unchanged_name_is_not_logged(staff_client, customer):
    made = projects.default_of(customer)
    assert forms.edit(staff_client, _rename(made), name=f" {made.name} ").status_code == 302
    assert not Event.objects.exists()


@pytest.mark.parametrize("name", ["STADTWERKE  aalen", "", "a\u202eb", "x" * 121])
def test_an_invalid_name_is_refused_at_its_field_and_creates_nothing(staff_client, alice, customer, name):
    other = projects.make(customer, name="Other", by=factories.actor_of(alice))
    for answer in (
        staff_client.post(_new(customer), {"name": name}),
        forms.edit(staff_client, _rename(other), name=name),
    ):
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["name"])
    assert set(Project.objects.values_list("name", flat=True)) == {customer.name, "Other"}


def test_no_project_can_be_added_to_an_archived_customer(staff_client, customer):
    Customer.objects.filter(pk=customer.pk).update(archived_at=timezone.now())
    assert _new(customer) not in staff_client.get(customer.get_absolute_url()).content.decode()
    answer = staff_client.post(_new(customer), {"name": "North"})
    assert answer.status_code == 422
    assert "Restore it first." in answer.content.decode()
    assert Project.objects.count() == 1


def test_a_viewer_sees_projects_but_cannot_change_them(client_for, customer):
    client, made = client_for("viewer"), projects.default_of(customer)
    page = client.get(customer.get_absolute_url()).content.decode()
    assert _new(customer) not in page
    assert _rename(made) not in page
    assert client.post(_new(customer), {"name": "North"}).status_code == 403
    assert client.post(_rename(made), {"name": "North"}).status_code == 403
    assert list(Project.objects.values_list("name", flat=True)) == [customer.name]


def test_a_project_is_only_found_under_its_own_customer(staff_client, customer, other_customer):
    made = projects.default_of(customer)
    url = reverse("customers:project_edit", args=[other_customer.pk, made.pk])
    assert (staff_client.get(url).status_code, staff_client.post(url, {"name": "North"}).status_code) == (404, 404)
    made.refresh_from_db()
    assert made.name == customer.name


def _race(organization, monkeypatch, *, guarded):
    """Create two projects of the same name at once. Return how many there are afterwards, and the refusals."""
    customer = factories.make_customer(organization)
    by = factories.actor_of(factories.make_member(organization, "owner"))
    both = threading.Barrier(2)
    if not guarded:
        monkeypatch.setattr(projects, "_keep_names_apart", _unguarded(both))
    refused = []

    def make(name):
        try:
            if guarded:
                both.wait(PATIENCE)
            projects.make(customer, name=name, by=by)
        except Refused as refusal:
            refused.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=make, args=[name]) for name in ("North", "NORTH")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return customer.projects.filter(is_default=False).count(), refused


def _unguarded(both):
    """Make both requests check the name before either writes, without waiting for each other."""

    def keep(customer, name, *, but=None):
        taken = {project.name.casefold() for project in Project.objects.filter(customer=customer)}
        if connection.vendor == "postgresql":
            both.wait(PATIENCE)
        if name.casefold() in taken:
            raise Refused("duplicate", "Choose another name.")

    return keep


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_time", range(extent(1, 3)))
def test_of_two_concurrent_requests_for_a_name_one_succeeds(organization, monkeypatch, _time):
    assert _race(organization, monkeypatch, guarded=True) == (1, ["duplicate"])


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_requests_would_succeed(organization, monkeypatch):
    """The negative control. SQLite serializes writes by itself."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time.")
    assert _race(organization, monkeypatch, guarded=False) == (2, [])
