"""Customers' projects over REST."""

import pytest
from django.utils import timezone

from console.access import CustomerScope, Permission
from console.models import Event
from customers.models import Customer, Project
from customers.projects.actions import projects
from tests import factories
from tests.api import Caller, customer_key, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(alice):
    return Caller(key_of(alice))


def test_a_project_is_created_read_and_renamed(caller, customer):
    answer = caller.post("/projects", {"customer": customer.pk, "name": "  North   site "})
    made = Project.objects.get(is_default=False)
    said = answer.json()
    assert (answer.status_code, said["id"], said["name"], said["is_default"], said["customer"]) == (
        201,
        made.pk,
        "North site",
        False,
        {"id": customer.pk, "name": customer.name},
    )
    assert caller.get(f"/projects/{made.pk}").json() == said
    answer = caller.patch(f"/projects/{made.pk}", {"name": "North"})
    assert (answer.status_code, answer.json()) == (200, said | {"name": "North"})
    assert caller.patch(f"/projects/{made.pk}", {}).json()["name"] == "North"
    events = Event.objects.filter(kind__startswith="project.").order_by("pk")
    assert [(e.kind, e.object_id, e.data) for e in events] == [
        ("project.created", customer.pk, {}),
        ("project.edited", customer.pk, {"name": ["North site", "North"]}),
    ]
    assert {row["name"] for row in caller.get("/projects", customer=customer.pk).json()["results"]} == {
        customer.name,
        "North",
    }


def test_names_are_unique_within_a_customer_without_case(caller, customer, other_customer):
    for name in ("Zürich", "straße"):
        assert caller.post("/projects", {"customer": customer.pk, "name": name}).status_code == 201
    for name in ("ZÜRICH", "Strasse", customer.name.upper()):
        answer = caller.post("/projects", {"customer": customer.pk, "name": name})
        assert (answer.status_code, answer.json()["code"]) == (422, "duplicate")
    made = Project.objects.get(name="straße")
    assert caller.patch(f"/projects/{made.pk}", {"name": "zürich"}).json()["code"] == "duplicate"
    assert caller.patch(f"/projects/{made.pk}", {"name": "Straße"}).status_code == 200
    assert caller.post("/projects", {"customer": other_customer.pk, "name": "Zürich"}).status_code == 201
    assert customer.projects.count() == 3


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "North"}, 400, "customer"),
        ({"customer": 0, "name": "North"}, 400, "customer"),
        ({"customer": 2**62, "name": "North"}, 422, "customer"),
        ({"customer": 1, "name": "   "}, 422, "name"),
        ({"customer": 1, "name": "a\u202eb"}, 422, "name"),
        ({"customer": 1, "name": "x" * 121}, 400, "name"),
    ],
)
def test_invalid_input_creates_nothing(caller, customer, body, status, field):
    body = body | ({"customer": customer.pk} if body.get("customer") == 1 else {})
    answer = caller.post("/projects", body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (status, [field])
    assert Project.objects.count() == 1


def test_an_archived_customer_gets_no_project_and_none_is_renamed(caller, customer):
    made = projects.default_of(customer)
    Customer.objects.filter(pk=customer.pk).update(archived_at=timezone.now())
    for answer in (
        caller.post("/projects", {"customer": customer.pk, "name": "North"}),
        caller.patch(f"/projects/{made.pk}", {"name": "North"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "archived")
    assert list(Project.objects.values_list("name", flat=True)) == [customer.name]


def test_a_customer_s_key_sees_its_own_projects_and_makes_none(customer, other_customer, dana):
    caller = Caller(customer_key(dana, customer, *CustomerScope))
    own, other = projects.default_of(customer), projects.default_of(other_customer)
    assert caller.get(f"/projects/{own.pk}").json()["name"] == customer.name
    assert caller.get(f"/projects/{other.pk}").status_code == 404
    assert caller.post("/projects", {"customer": customer.pk, "name": "North"}).status_code == 403
    without = Caller(customer_key(dana, customer, *(set(CustomerScope) - {CustomerScope.ACCESS})))
    assert without.patch(f"/projects/{own.pk}", {"name": "North"}).status_code == 403
    assert caller.patch(f"/projects/{other.pk}", {"name": "North"}).status_code == 404
    assert set(Project.objects.values_list("name", flat=True)) == {customer.name, other_customer.name}
    assert caller.patch(f"/projects/{own.pk}", {"name": "North"}).json()["name"] == "North"
    assert Project.objects.count() == 2


def test_the_customer_of_another_organization_is_unknown(caller, other_organization):
    stranger = factories.make_customer(other_organization, "Stranger")
    answer = caller.post("/projects", {"customer": stranger.pk, "name": "North"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "customer")
    assert stranger.projects.count() == 1


def test_projects_require_the_permission_to_edit_customers(alice, customer):
    caller = Caller(key_of(alice, *(set(factories.actor_of(alice).permissions) - {Permission.CUSTOMER_EDIT})))
    assert caller.post("/projects", {"customer": customer.pk, "name": "North"}).status_code == 403
    assert Project.objects.count() == 1
