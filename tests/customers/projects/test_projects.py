"""The projects of a customer, in the console."""

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


def test_a_project_is_made_on_the_customer_s_page(staff_client, customer):
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


def test_a_project_is_renamed_and_told(staff_client, customer):
    made = projects.default_of(customer)
    page = staff_client.get(_rename(made)).content.decode()
    assert f'value="{customer.name}"' in page
    assert forms.edit(staff_client, _rename(made), name="Head office").status_code == 302
    made.refresh_from_db()
    assert (made.name, made.is_default) == ("Head office", True)
    assert Event.objects.get().data == {"name": ["Stadtwerke Aalen", "Head office"]}


def test_a_name_that_stays_is_not_told(staff_client, customer):
    made = projects.default_of(customer)
    assert forms.edit(staff_client, _rename(made), name=f" {made.name} ").status_code == 302
    assert not Event.objects.exists()


@pytest.mark.parametrize("name", ["STADTWERKE  aalen", "", "a\u202eb", "x" * 121])
def test_a_bad_name_is_said_at_its_field_and_makes_nothing(staff_client, alice, customer, name):
    other = projects.make(customer, name="Other", by=factories.actor_of(alice))
    for answer in (
        staff_client.post(_new(customer), {"name": name}),
        forms.edit(staff_client, _rename(other), name=name),
    ):
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["name"])
    assert set(Project.objects.values_list("name", flat=True)) == {customer.name, "Other"}


def test_an_archived_customer_offers_no_project(staff_client, customer):
    Customer.objects.filter(pk=customer.pk).update(archived_at=timezone.now())
    assert _new(customer) not in staff_client.get(customer.get_absolute_url()).content.decode()
    answer = staff_client.post(_new(customer), {"name": "North"})
    assert answer.status_code == 422
    assert "Restore it first." in answer.content.decode()
    assert Project.objects.count() == 1


def test_a_viewer_sees_projects_and_changes_none(client_for, customer):
    client, made = client_for("viewer"), projects.default_of(customer)
    page = client.get(customer.get_absolute_url()).content.decode()
    assert _new(customer) not in page
    assert _rename(made) not in page
    assert client.post(_new(customer), {"name": "North"}).status_code == 403
    assert client.post(_rename(made), {"name": "North"}).status_code == 403
    assert list(Project.objects.values_list("name", flat=True)) == [customer.name]


def test_a_project_is_found_below_its_own_customer_only(staff_client, customer, other_customer):
    made = projects.default_of(customer)
    url = reverse("customers:project_edit", args=[other_customer.pk, made.pk])
    assert (staff_client.get(url).status_code, staff_client.post(url, {"name": "North"}).status_code) == (404, 404)
    made.refresh_from_db()
    assert made.name == customer.name


def _race(organization, monkeypatch, *, guarded):
    """Two who make a project of the same name at once. Returns how many there are then."""
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
    """The same question, asked by both before either writes, and without waiting for one another."""

    def keep(customer, name, *, but=None):
        taken = {project.name.casefold() for project in Project.objects.filter(customer=customer)}
        if connection.vendor == "postgresql":
            both.wait(PATIENCE)
        if name.casefold() in taken:
            raise Refused("duplicate", "Choose another name.")

    return keep


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_time", range(extent(1, 3)))
def test_of_two_who_take_a_name_at_once_one_gets_it(organization, monkeypatch, _time):
    assert _race(organization, monkeypatch, guarded=True) == (1, ["duplicate"])


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_would_get_it(organization, monkeypatch):
    """The negative control. SQLite lets one write after the other by itself."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time.")
    assert _race(organization, monkeypatch, guarded=False) == (2, [])
