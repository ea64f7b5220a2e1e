"""Staff and the owner see who has access, and both can end it: on pages and over REST."""

import pytest

from console.access import CustomerScope, Permission
from console.models import Event
from customers.models import CustomerKind, ProjectMember
from customers.projects.actions import projects
from devices import ledger
from devices.acts import Act
from devices.models import SharedAccess
from tests import factories, forms
from tests.api import Caller, customer_key, key_of

pytestmark = pytest.mark.django_db
P, C = Permission, CustomerScope


@pytest.fixture
def project(customer):
    return customer.projects.get()


@pytest.fixture
def guest(project, bob):
    """Bob, a member of the organization, who sees Dana's project."""
    return factories.let_in(project, bob, "operator")


@pytest.fixture
def share(owned, other_customer, by):
    """Hallberg Utilities' access to Dana's device."""
    ledger.share(
        [owned.pk],
        Act(by, note="Pilot", evidence="claim:17"),
        customer=other_customer,
        project=other_customer.projects.get(),
        reason="claim",
    )
    return SharedAccess.objects.get()


def text_of(client, url, status=200):
    answer = client.get(url)
    assert answer.status_code == status, (url, answer.status_code)
    return answer.content.decode()


# Staff


def test_staff_see_project_members_on_the_page_of_the_customer(client_for, customer, project, guest):
    text = text_of(client_for("viewer"), customer.get_absolute_url())
    assert "Bob Adeyemi" in text
    assert "Operator" in text
    assert "End access" not in text
    end = f"/customers/{customer.pk}/projects/{project.pk}/members/{guest.pk}/end/"
    assert end in text_of(client_for("support"), customer.get_absolute_url())


def test_staff_can_end_a_membership_on_the_page_of_the_project(client_for, customer, project, guest, alice):
    client, page = client_for(alice), f"/customers/{customer.pk}/projects/{project.pk}/"
    end = f"{page}members/{guest.pk}/end/"
    assert end in text_of(client, page)
    assert "Bob Adeyemi" in text_of(client, end)
    answer = client.post(end, {"reason": "The pilot is over"})
    assert (answer.status_code, answer.url) == (302, page)
    guest.refresh_from_db()
    assert (guest.end_reason, guest.end_note, guest.ended_by) == ("ended", "The pilot is over", "Alice Kemp")
    text = text_of(client, page)
    assert "The pilot is over" in text
    assert end not in text
    assert client.post(end, {"reason": "Again"}).status_code == 409
    assert Event.objects.filter(kind="project.member_ended").count() == 1


def test_a_membership_can_only_be_ended_under_its_own_project(client_for, customer, other_customer, guest, alice):
    other = other_customer.projects.get()
    url = f"/customers/{other_customer.pk}/projects/{other.pk}/members/{guest.pk}/end/"
    assert client_for(alice).post(url, {"reason": "x"}).status_code == 404
    assert ProjectMember.objects.get().ended_at is None


# The owner


def test_the_owner_sees_who_can_access_the_project_and_can_end_it(client_for, project, guest, dana, bob):
    client, page = client_for(dana), f"/portal/projects/{project.pk}/"
    end = f"{page}members/{guest.pk}/end/"
    text = text_of(client, page)
    assert "Who has access" in text
    assert "Bob Adeyemi" in text
    assert "dana@aalen.example" in text
    assert end in text
    assert client.post(end).status_code == 302
    guest.refresh_from_db()
    assert (guest.end_reason, guest.ended_by) == ("ended", "dana@aalen.example")
    assert client_for(bob).get(page).status_code == 404
    assert end not in text_of(client, page)
    assert "Bob Adeyemi" in text_of(client, page)
    event = Event.objects.get(kind="project.member_ended")
    assert (event.object_id, event.actor_label) == (project.customer_id, "dana@aalen.example")


def test_the_owner_can_rename_a_project(client_for, project, dana):
    client, page = client_for(dana), f"/portal/projects/{project.pk}/edit/"
    assert page in text_of(client, f"/portal/projects/{project.pk}/")
    assert forms.edit(client, page, name=" North  site ").status_code == 302
    project.refresh_from_db()
    assert project.name == "North site"
    assert forms.edit(client, page, name="").status_code == 422


def test_the_owner_sees_each_share_of_the_device_and_can_end_it(
    client_for, owned, share, dana, erin, by, other_customer
):
    client, page = client_for(dana), f"/portal/devices/{owned.pk}/"
    end = f"{page}shares/{share.pk}/end/"
    text = text_of(client, page)
    for said in ("Who else can see it", "Hallberg Utilities", "Pilot", end):
        assert said in text
    assert "Who else can see it" not in text_of(client_for(erin), page)
    assert client_for(erin).post(end).status_code == 404
    assert client.get(end).status_code == 200
    assert client.post(end, {"reason": "No longer needed"}).status_code == 302
    share.refresh_from_db()
    assert (share.end_reason, share.ended_by, share.end_note) == ("ended", "dana@aalen.example", "No longer needed")
    assert client_for(erin).get(page).status_code == 404
    assert client.post(end).status_code == 409
    event = Event.objects.get(kind="device.access_ended")
    assert (event.subject_id, event.object_id) == (owned.pk, other_customer.pk)


def test_an_owner_cannot_see_who_had_access_before(client_for, owned, share, dana, by, organization):
    owner = factories.make_customer(organization, "Nord")
    person = factories.make_person(owner, "nord@example.com")
    ledger.transfer(
        [owned.pk], Act(by), source=owned.ownership_spans.get().customer, customer=owner, project=owner.projects.get()
    )
    assert "Hallberg" not in text_of(client_for(person), f"/portal/devices/{owned.pk}/")
    url = f"/portal/devices/{owned.pk}/shares/{share.pk}/end/"
    assert [client_for(who).post(url).status_code for who in (person, dana)] == [404, 404]
    listed = Caller(customer_key(person, owner)).get(f"/devices/{owned.pk}/shares")
    assert listed.json()["results"] == []


# Programs


def test_staff_can_list_and_end_memberships_over_rest(alice, project, guest, bob):
    api = Caller(key_of(alice))
    path = f"/projects/{project.pk}/members"
    (said,) = api.get(path).json()["results"]
    assert (said["id"], said["name"], said["email"], said["role"], said["ended_at"]) == (
        guest.pk,
        "Bob Adeyemi",
        bob.email,
        "operator",
        None,
    )
    answer = api.post(f"{path}/{guest.pk}/end", {"reason": "The pilot is over"})
    assert (answer.status_code, answer.json()["end_note"], answer.json()["end_reason"]) == (
        200,
        "The pilot is over",
        "ended",
    )
    again = api.post(f"{path}/{guest.pk}/end", {})
    assert (again.status_code, again.json()["code"]) == (409, "ended_already")
    for current, found in (("true", []), ("false", [guest.pk])):
        assert [row["id"] for row in api.get(path, current=current).json()["results"]] == found


def test_a_customers_program_can_list_and_end_the_access_of_others(
    customer, other_customer, project, guest, owned, share, dana, erin
):
    theirs, others = Caller(customer_key(dana, customer)), Caller(customer_key(erin, other_customer))
    members, shares = f"/projects/{project.pk}/members", f"/devices/{owned.pk}/shares"
    assert [row["id"] for row in theirs.get(members).json()["results"]] == [guest.pk]
    assert others.get(members).status_code == 404
    (said,) = theirs.get(shares).json()["results"]
    hidden = ("project", "started_by", "start_evidence", "ended_by", "end_note")
    assert (said["customer"]["name"], said["start_note"]) == ("Hallberg Utilities", "Pilot")
    assert [said[name] for name in hidden] == [None, "", "", "", ""]
    (own,) = others.get(shares).json()["results"]
    assert (own["id"], own["project"]["id"]) == (share.pk, share.project_id)
    assert others.post(f"{shares}/{share.pk}/end", {"reason": "x"}).status_code == 404
    assert others.post(f"{members}/{guest.pk}/end", {}).status_code == 404
    reading = Caller(customer_key(dana, customer, C.READ))
    assert reading.post(f"{shares}/{share.pk}/end", {"reason": "x"}).status_code == 403
    assert reading.post(f"{members}/{guest.pk}/end", {}).status_code == 403
    assert (SharedAccess.objects.open().count(), ProjectMember.objects.open().count()) == (1, 1)
    assert theirs.post(f"{shares}/{share.pk}/end", {"reason": "It is over"}).status_code == 200
    ended = theirs.post(f"{members}/{guest.pk}/end", {"reason": "It is over"})
    assert (ended.status_code, ended.json()["end_note"]) == (200, "")
    assert (SharedAccess.objects.open().count(), ProjectMember.objects.open().count()) == (0, 0)
    assert others.get(f"/devices/{owned.pk}").status_code == 404


def test_an_internal_account_is_listed_like_any_other_customer_with_access(client_for, owned, dana, organization, by):
    fleet = factories.make_customer(organization, "Fleet", kind=CustomerKind.INTERNAL)
    ledger.share([owned.pk], Act(by), customer=fleet, project=projects.default_of(fleet), reason="claim")
    assert "Fleet" in text_of(client_for(dana), f"/portal/devices/{owned.pk}/")
