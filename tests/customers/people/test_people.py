"""The people of a customer."""

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from console.errors import Refused
from console.models import Event, User
from customers.models import CustomerUser
from customers.people.actions import people
from tests import factories, forms

pytestmark = pytest.mark.django_db


@pytest.fixture
def invite(staff_client, customer):
    url = reverse("customers:customer_invite", args=[customer.pk])
    return lambda **values: staff_client.post(url, {"role": "viewer", **values})


def test_an_invitation_emails_a_link_to_the_portal(invite, customer):
    answer = invite(email="Eva@Aalen.example", name="Eva Lang")
    person = CustomerUser.objects.get()
    assert (answer.status_code, answer.url) == (302, customer.get_absolute_url())
    assert (person.user.email, person.user.name, person.role) == ("eva@aalen.example", "Eva Lang", "viewer")
    assert not person.user.has_usable_password()
    assert mail.outbox[0].to == ["eva@aalen.example"]
    assert "http://localhost:8000/portal/" in mail.outbox[0].body
    event = Event.objects.get()
    assert (event.kind, event.subject_label, event.object_id) == ("customer.person_invited", "Eva Lang", customer.pk)


def test_a_person_who_has_signed_in_cannot_be_invited_again(invite, dana):
    User.objects.filter(pk=dana.pk).update(last_login=timezone.now())
    answer = invite(email=dana.email)
    assert answer.status_code == 422
    assert answer.context["form"].errors["email"] == ["dana@aalen.example already belongs to this customer."]
    assert (len(mail.outbox), Event.objects.count(), CustomerUser.objects.get().role) == (0, 0, "admin")


def test_inviting_again_before_the_first_sign_in_resends_the_email_and_keeps_the_role(invite, dana):
    assert invite(email=dana.email).status_code == 302
    assert len(mail.outbox) == 1
    assert (Event.objects.get().kind, CustomerUser.objects.get().role) == ("customer.person_invited_again", "admin")


def test_a_removed_person_can_be_invited_again(staff_client, invite, customer, dana):
    User.objects.filter(pk=dana.pk).update(last_login=timezone.now())
    staff_client.post(reverse("customers:customer_user_remove", args=[customer.pk, dana.pk]))
    invite(email=dana.email)
    person = CustomerUser.objects.get()
    assert (person.removed_at, person.role, person.user) == (None, "viewer", dana)
    assert [event.kind for event in Event.objects.order_by("pk")] == [
        "customer.person_removed",
        "customer.person_invited",
    ]


def test_an_invitation_does_not_replace_a_persons_own_name(invite, erin):
    User.objects.filter(pk=erin.pk).update(name="Erin Falk")
    invite(email=erin.email, name="Somebody")
    erin.refresh_from_db()
    assert erin.name == "Erin Falk"


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b", "a\u202e@b.example", "ﬁ@aalen.example", "x" * 250 + "@aalen.example"]
)
def test_an_invalid_address_is_refused_at_its_field(invite, email):
    answer = invite(email=email)
    assert answer.status_code == 422
    assert answer.context["form"].errors["email"]
    assert (len(mail.outbox), CustomerUser.objects.count()) == (0, 0)


def test_an_invitation_with_an_unknown_role_is_refused(invite):
    answer = invite(email="eva@aalen.example", role="owner")
    assert (answer.status_code, CustomerUser.objects.count()) == (422, 0)


def test_a_deactivated_account_cannot_be_invited(invite, erin):
    User.objects.filter(pk=erin.pk).update(is_active=False)
    answer = invite(email=erin.email)
    assert (answer.status_code, CustomerUser.objects.filter(customer__name="Stadtwerke Aalen").count()) == (422, 0)


def test_nobody_can_be_invited_to_an_archived_customer(staff_client, invite, customer):
    staff_client.post(reverse("customers:customer_archive", args=[customer.pk]))
    answer = invite(email="eva@aalen.example")
    assert (answer.status_code, CustomerUser.objects.count(), len(mail.outbox)) == (422, 0, 0)


def test_the_email_is_in_the_recipients_language(customer, actor, alice, dana):
    User.objects.filter(pk=dana.pk).update(language="de")
    people.invite(customer, email=dana.email, role="viewer", by=actor(alice))
    assert "lädt" in mail.outbox[0].body + mail.outbox[0].subject


def test_a_removed_person_loses_access_with_the_next_request(staff_client, customer, dana, client_for):
    visitor = client_for(dana)
    project = reverse("portal:project_detail", args=[customer.projects.get().pk])
    assert visitor.get(project).status_code == 200
    staff_client.post(reverse("customers:customer_user_remove", args=[customer.pk, dana.pk]))
    assert visitor.get(project).status_code == 404


def test_opening_the_removal_page_removes_nobody(staff_client, customer, dana):
    staff_client.get(reverse("customers:customer_user_remove", args=[customer.pk, dana.pk]))
    assert CustomerUser.objects.get().removed_at is None


def test_a_role_change_is_saved_and_logged(staff_client, customer, dana):
    url = reverse("customers:customer_user_edit", args=[customer.pk, dana.pk])
    forms.edit(staff_client, url, role="viewer")
    assert CustomerUser.objects.get().role == "viewer"
    event = Event.objects.get()
    assert (event.kind, event.object_id, event.data) == (
        "customer.person_edited",
        customer.pk,
        {"role": ["admin", "viewer"]},
    )


def test_a_concurrent_role_change_is_not_overwritten(customer, dana, actor, alice):
    person = CustomerUser.objects.get()
    CustomerUser.objects.update(role="operator")
    with pytest.raises(Refused) as refusal:
        people.change_role(person, role="viewer", by=actor(alice))
    assert (refusal.value.code, CustomerUser.objects.get().role) == ("changed_meanwhile", "operator")


def test_a_person_of_another_customer_is_not_found(staff_client, customer, dana, erin):
    for name in ("customer_user_edit", "customer_user_remove"):
        url = reverse(f"customers:{name}", args=[customer.pk, erin.pk])
        assert staff_client.post(url, {"role": "viewer"}).status_code == 404
    assert CustomerUser.objects.filter(removed_at=None, role="admin").count() == 2


def test_a_viewer_cannot_change_people(client_for, customer, dana):
    client = client_for("viewer")
    for name, arguments in (
        ("customer_invite", [customer.pk]),
        ("customer_user_edit", [customer.pk, dana.pk]),
        ("customer_user_remove", [customer.pk, dana.pk]),
    ):
        url = reverse(f"customers:{name}", args=arguments)
        assert client.post(url, {"email": "x@y.example", "role": "viewer"}).status_code == 403
    assert (CustomerUser.objects.get().role, CustomerUser.objects.get().removed_at) == ("admin", None)


def test_the_customer_page_offers_a_viewer_no_changes(client_for, customer, dana):
    content = client_for("viewer").get(customer.get_absolute_url()).content.decode()
    assert "dana@aalen.example" in content
    assert reverse("customers:customer_invite", args=[customer.pk]) not in content
    assert reverse("customers:customer_edit", args=[customer.pk]) not in content


def test_additional_members_of_an_archived_customers_project_see_nothing(customer, actor, alice, member):
    from customers.directory import actions as customers

    guest = member("support")
    factories.let_in(customer.projects.get(), guest)
    from customers.people.roles import actor_for

    assert actor_for(guest).projects == {customer.projects.get().pk}
    customers.archive(customer, by=actor(alice))
    assert actor_for(guest).projects == frozenset()
    assert factories.actor_of(guest).may("view")
