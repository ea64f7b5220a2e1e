"""API keys in the portal: a customer's admins create and revoke them within their own permissions; nobody else can."""

import re
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from console.access import ROLES, CustomerScope
from console.errors import Refused
from console.models import Event
from customers.keys import credentials as keys
from customers.keys.actions import api_keys
from customers.models import ApiKey, Customer, CustomerUser
from customers.people.actions import people
from customers.people.roles import actor_for
from script.messages import PO
from tests import factories
from tests.api import Caller
from tests.waiting import PATIENCE, until_somebody_is_held_up

pytestmark = pytest.mark.django_db

LIST, NEW = "/portal/api-keys/", "/portal/api-keys/new/"
WANTED = {"name": "Backend", "scopes": ["customer.read", "customer.call"], "days": "30"}


def revoke_page(key: ApiKey) -> str:
    return reverse("portal:api_key_revoke", args=[key.pk])


def key_for(customer, by, name="Backend", **how) -> ApiKey:
    return api_keys.create(name=name, scopes=["customer.read"], by=by, customer=customer, **how)[0]


def shown(page: str) -> str:
    return re.search(r"cst_[0-9A-Za-z]{46}", page)[0]


# The admin


def test_an_admin_creates_a_key_that_is_shown_once_and_opens_the_customers_devices(client_for, dana, customer):
    client, before = client_for(dana), timezone.now()
    assert LIST in client.get("/portal/").content.decode()
    made = client.post(NEW, WANTED, follow=True)
    key, text = ApiKey.objects.get(), shown(made.content.decode())
    assert made.redirect_chain == [(f"/portal/api-keys/{key.pk}/key/", 303)]
    assert made["Cache-Control"] == "private, no-store"
    assert (key.customer, key.organization, key.made_by, key.scopes, key.name) == (
        customer,
        customer.organization,
        dana,
        ["customer.call", "customer.read"],
        "Backend",
    )
    assert timedelta(days=30) <= key.expires_at - before < timedelta(days=30, minutes=1)
    page = client.get(LIST).content.decode()
    assert (key.start in page, text in page, "See its devices" in page) == (True, False, True)
    assert Caller(text).get("/devices").status_code == 200
    event = Event.objects.get(kind="api_key.created")
    assert (event.organization, event.actor_id, event.object_id) == (customer.organization, dana.pk, customer.pk)
    assert text not in str(event.data)


def test_portal_key_changes_appear_in_the_organizations_activity(client_for, alice, dana, customer):
    client = client_for(dana)
    client.post(NEW, WANTED)
    client.post(revoke_page(ApiKey.objects.get()))
    page = client_for(alice).get(reverse("console:activity_list")).content.decode()
    assert ("created the API key" in page, "revoked the API key" in page, "dana@aalen.example" in page) == (True,) * 3


def test_a_key_revoked_by_an_admin_fails_from_the_next_call_on(client_for, dana, customer):
    client = client_for(dana)
    caller = Caller(shown(client.post(NEW, WANTED, follow=True).content.decode()))
    key = ApiKey.objects.get()
    assert client.get(revoke_page(key)).status_code == 200
    assert caller.get("/devices").status_code == 200
    answer = client.post(revoke_page(key))
    assert (answer.status_code, answer.url) == (302, LIST)
    assert caller.get("/devices").status_code == 401
    page = client.get(LIST).content.decode()
    assert ("Revoked" in page, revoke_page(key) in page) == (True, False)
    client.post(revoke_page(key))
    assert Event.objects.filter(kind="api_key.revoked").count() == 1


def test_an_admin_sees_and_revokes_keys_created_by_staff_without_seeing_their_names(client_for, dana, customer, by):
    key = key_for(customer, by)
    page = client_for(dana).get(LIST).content.decode()
    assert ("by Northlake" in page, "Alice" in page) == (True, False)
    assert client_for(dana).post(revoke_page(key)).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None


@pytest.mark.parametrize(
    ("field", "bad"), [("name", ""), ("name", "x" * 81), ("scopes", []), ("scopes", ["view"]), ("days", "9999")]
)
def test_an_invalid_form_creates_no_key(field, bad, client_for, dana):
    made = client_for(dana).post(NEW, WANTED | {field: bad})
    assert (made.status_code, list(made.context["form"].errors)) == (422, [field])
    assert not ApiKey.objects.exists()


def test_a_key_that_never_expires_can_be_created(client_for, dana):
    assert client_for(dana).post(NEW, WANTED | {"days": ""}).status_code == 303
    assert ApiKey.objects.get().expires_at is None


# Everybody else


@pytest.mark.parametrize("role", ["operator", "viewer"])
def test_operators_and_viewers_cannot_find_keys(role, client_for, customer, by):
    key = key_for(customer, by)
    client = client_for(factories.make_person(customer, "pat@aalen.example", role))
    assert "api-keys" not in client.get("/portal/").content.decode()
    for method in ("get", "post"):
        for address in (LIST, NEW, revoke_page(key)):
            assert getattr(client, method)(address, WANTED).status_code == 404, address
    key.refresh_from_db()
    assert (ApiKey.objects.count(), key.revoked_at) == (1, None)


def test_additional_members_signed_out_visitors_and_staff_cannot_find_keys(
    client, client_for, customer, organization, alice, by
):
    key = key_for(customer, by)
    guest = factories.make_member(organization, "viewer", "guest@example.com")
    factories.let_in(customer.projects.get(), guest, "admin")
    for person in (guest, alice):
        theirs = client_for(person)
        assert "/portal/api-keys" not in theirs.get("/portal/").content.decode()
        for address in (LIST, NEW, revoke_page(key)):
            assert theirs.post(address, WANTED).status_code == 404
    assert client.post(NEW, WANTED).status_code == 302
    assert ApiKey.objects.count() == 1


def test_keys_of_another_customer_or_of_the_organization_are_not_found(client_for, dana, customer, other_customer, by):
    theirs = key_for(other_customer, by, "Theirs")
    staffs = api_keys.create(name="Staffs", scopes=["view"], by=by)[0]
    client = client_for(dana)
    page = client.get(LIST).content.decode()
    assert ("Theirs" in page, "Staffs" in page) == (False, False)
    for key in (theirs, staffs):
        assert client.post(revoke_page(key)).status_code == 404
        key.refresh_from_db()
        assert key.revoked_at is None
    made = client.post(NEW, WANTED | {"customer": other_customer.pk})
    # The form has no such field: the key belongs to her own customer.
    assert (made.status_code, ApiKey.objects.get(name="Backend").customer) == (303, customer)


def test_admins_of_an_archived_customer_and_removed_people_cannot_find_keys(client_for, dana, customer):
    client = client_for(dana)
    Customer.objects.filter(pk=customer.pk).update(archived_at=timezone.now())
    assert client.get(LIST).status_code == 404
    Customer.objects.filter(pk=customer.pk).update(archived_at=None)
    CustomerUser.objects.update(removed_at=timezone.now())
    assert client.post(NEW, WANTED).status_code == 404
    assert not ApiKey.objects.exists()


# Several customers


def test_an_admin_of_several_customers_chooses_one(client_for, dana, customer, other_customer, organization):
    CustomerUser.objects.create(organization=organization, customer=other_customer, user=dana, role="admin")
    third = factories.make_customer(organization, "Third")
    CustomerUser.objects.create(organization=organization, customer=third, user=dana, role="operator")
    client = client_for(dana)
    form = client.get(NEW).content.decode()
    assert ("Hallberg" in form, "Stadtwerke" in form, "Third" in form) == (True, True, False)
    for wrong in ({}, {"customer": third.pk}):
        made = client.post(NEW, WANTED | wrong)
        assert (made.status_code, list(made.context["form"].errors)) == (422, ["customer"])
    assert client.post(NEW, WANTED | {"customer": other_customer.pk}).status_code == 303
    assert ApiKey.objects.get().customer == other_customer
    assert "Hallberg Utilities" in client.get(LIST).content.decode()


# The action


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("admin", set(CustomerScope)),
        ("operator", set(CustomerScope) - {CustomerScope.ACCESS}),
        ("viewer", {CustomerScope.READ}),
    ],
)
def test_a_key_never_gets_more_permissions_than_its_creators_role(role, may, customer):
    person = factories.make_person(customer, "pat@aalen.example", role)
    by = factories.actor_of(person)
    assert api_keys.allowed(by, customer) == may
    for scope in CustomerScope:
        if scope in may:
            assert api_keys.create(name="x", scopes=[scope], by=by, customer=customer)
            continue
        with pytest.raises(Refused) as refused:
            api_keys.create(name="x", scopes=[CustomerScope.READ, scope], by=by, customer=customer)
        assert refused.value.code == "scope_not_yours"
    assert ApiKey.objects.count() == len(may)


def test_without_the_limit_a_viewer_could_create_a_key_with_every_scope(customer, monkeypatch):
    """The negative control: the role table grants viewers everything."""
    by = factories.actor_of(factories.make_person(customer, "pat@aalen.example", "viewer"))
    monkeypatch.setitem(keys.CUSTOMER_SCOPES, "viewer", frozenset(CustomerScope))
    assert api_keys.create(name="x", scopes=CustomerScope, by=by, customer=customer)


def test_a_person_outside_the_customer_cannot_create_a_key_with_any_scope(customer, organization, erin, dana):
    guest = factories.make_member(organization, "viewer")
    factories.let_in(customer.projects.get(), guest, "admin")
    gone = factories.actor_of(dana)
    CustomerUser.objects.filter(user=dana).update(removed_at=timezone.now())
    for by in (factories.actor_of(erin), actor_for(guest), gone):
        with pytest.raises(Refused) as refused:
            api_keys.create(name="x", scopes=["customer.read"], by=by, customer=customer)
        assert refused.value.code == "scope_not_yours"
    assert not ApiKey.objects.exists()


def test_staff_can_still_create_keys_for_a_customer(customer, by):
    assert api_keys.allowed(by, customer) == set(CustomerScope)
    assert api_keys.allowed(by, None) == ROLES["owner"]


# Leaving


def test_keys_created_by_a_person_in_the_portal_stay_revoked_after_removal(client_for, dana, customer, by):
    caller = Caller(shown(client_for(dana).post(NEW, WANTED, follow=True).content.decode()))
    assert caller.get("/devices").status_code == 200
    people.remove(CustomerUser.objects.get(user=dana), by=by)
    assert caller.get("/devices").status_code == 401
    CustomerUser.objects.update(removed_at=None)
    assert caller.get("/devices").status_code == 401
    assert ApiKey.objects.get().revoked_at is not None


def create_while_the_person_is_removed(dana, by, monkeypatch) -> list[ApiKey]:
    """Remove the person on another connection after the permissions were checked. Return the keys that stay valid."""
    generate, actor = keys.generate, factories.actor_of(dana)
    person = CustomerUser.objects.get(user=dana)

    def remove() -> None:
        try:
            people.remove(person, by=by)
        finally:
            connection.close()

    thread = threading.Thread(target=remove)

    def at_that_moment() -> str:
        thread.start()
        until_somebody_is_held_up(lambda: not thread.is_alive())
        return generate()

    monkeypatch.setattr(keys, "generate", at_that_moment)
    api_keys.create(name="x", scopes=["customer.read"], by=actor, customer=person.customer)
    thread.join(PATIENCE)
    assert CustomerUser.objects.get(user=dana).removed_at is not None
    return list(ApiKey.objects.usable())


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_a_key_created_while_its_creator_is_removed_is_revoked_too(dana, by, monkeypatch):
    assert create_while_the_person_is_removed(dana, by, monkeypatch) == []


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_such_a_key_would_work_again_once_the_person_returns(dana, by, monkeypatch):
    """The negative control, on PostgreSQL: SQLite has only one writer at a time."""
    monkeypatch.setattr(api_keys, "lock_person", lambda by, customer: None)
    alive = create_while_the_person_is_removed(dana, by, monkeypatch)
    assert len(alive) == (1 if connection.vendor == "postgresql" else 0)


# German


def test_german_readers_get_german_pages(client_for, dana):
    client, headers = client_for(dana), {"accept-language": "de"}
    made = client.post(NEW, WANTED, headers=headers, follow=True).content.decode()
    key = ApiKey.objects.get()
    assert "Kopieren Sie den Schlüssel jetzt" in made
    for address, expected in (
        (LIST, "erstellt am"),
        (NEW, "Wo er verwendet wird"),
        (revoke_page(key), "Den Schlüssel widerrufen"),
    ):
        page = client.get(address, headers=headers).content.decode()
        assert ('<html lang="de">' in page, expected in page) == (True, True)
    refused = client.post(NEW, WANTED | {"scopes": []}, headers=headers).content.decode()
    assert "Wählen Sie mindestens eine Berechtigung für den Schlüssel." in refused


def test_every_customer_scope_has_a_german_name():
    import polib
    from django.utils.translation import override

    written = {entry.msgid: entry.msgstr for entry in polib.pofile(str(PO))}
    for scope in CustomerScope:
        with override("en"):
            english = str(scope.label)
        assert written.get(english), english
