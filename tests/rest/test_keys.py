"""API keys: what they look like, what they open, and when they stop."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import resolve
from django.utils import timezone

from console import operations
from console.access import ROLES, CustomerScope, Permission
from console.errors import Refused
from console.models import Event, IdempotentAnswer, Member, Operation, Webhook
from console.people.actions import members
from console.rest import idempotency, limits
from console.rest.limits import CallsAMinute
from console.rest.permissions import HasKey, MayCall
from customers.keys import credentials as keys
from customers.keys.actions import api_keys
from customers.models import ApiKey, Customer, CustomerUser
from customers.people.actions import people
from devices.actions import ownership
from devices.models import Device, Product
from tests import factories
from tests.api import Caller, customer_key, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits():
    limits.forget()


def test_a_key_is_kept_as_its_hash_only_and_checks_itself(alice):
    text = key_of(alice)
    key = ApiKey.objects.get()
    assert text.startswith("cst_")
    assert (len(text), key.start, key.sha256) == (50, text[:10], keys.sha256(text))
    assert text not in json.dumps(list(Event.objects.values("data", "subject_label")))
    assert keys.is_well_formed(text)
    assert not keys.is_well_formed(text[:-1] + ("a" if text[-1] != "a" else "b"))
    assert len({keys.generate() for _each in range(100)}) == 100


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic abc", "Bearer a b", "bearer cst_" + "0" * 46, "Bearer \xff"]
)
def test_without_a_key_that_works_everything_is_a_401_that_says_how(header, alice):
    caller = Caller(None)
    answer = caller.get("/devices", headers={"authorization": header} if header is not None else {})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="Custody"')
    assert answer.json()["code"] == "no_key"


def test_a_key_that_is_revoked_expired_or_whose_maker_left_opens_nothing_from_the_next_call_on(alice, organization):
    now, by = timezone.now(), factories.actor_of(alice)
    for stop in ("revoke", "expire", "leave"):
        key, text = api_keys.create(name=stop, scopes=["view"], by=by, expires_at=now + timedelta(days=1))
        caller = Caller(text)
        assert caller.get("/devices").status_code == 200
        if stop == "revoke":
            assert api_keys.revoke(key, by=by)
            assert not api_keys.revoke(key, by=by)
        if stop == "expire":
            ApiKey.objects.filter(pk=key.pk).update(expires_at=now - timedelta(seconds=1))
        if stop == "leave":
            Member.objects.filter(user=alice).update(removed_at=now)
        assert caller.get("/devices").status_code == 401, stop


def test_a_key_does_what_both_its_scopes_and_its_maker_s_role_allow(organization, alice):
    manager = factories.make_member(organization, "product_manager")
    caller = Caller(key_of(manager, Permission.VIEW, Permission.PRODUCT_EDIT))
    assert caller.post("/products", {"name": "One"}).status_code == 201
    assert caller.post("/customers", {"name": "Nord"}).status_code == 403
    Member.objects.filter(user=manager).update(role="viewer")
    assert caller.post("/products", {"name": "Two"}).status_code == 403
    assert caller.get("/products").status_code == 200
    assert (Product.objects.count(), Customer.objects.count()) == (1, 0)


def test_a_key_cannot_get_more_permissions_than_its_creator(organization):
    viewer = factories.make_member(organization, "viewer")
    with pytest.raises(Refused) as caught:
        key_of(viewer, Permission.PRODUCT_EDIT)
    assert caught.value.code == "scope_not_yours"
    with pytest.raises(Refused):
        api_keys.create(name="x", scopes=[], by=factories.actor_of(viewer))
    assert not ApiKey.objects.exists()
    assert Permission.API_KEY_MANAGE in ROLES["administrator"]


def test_a_customer_s_key_stops_with_its_person_and_with_the_customer(dana, customer):
    caller = Caller(customer_key(dana, customer))
    assert caller.get("/devices").status_code == 200
    CustomerUser.objects.filter(user=dana).update(role="viewer")
    assert caller.post("/device-ownerships", {"serial_number": "a", "device_name": "b"}).status_code == 403
    Customer.objects.filter(pk=customer.pk).update(archived_at=timezone.now())
    assert caller.get("/devices").status_code == 401
    Customer.objects.filter(pk=customer.pk).update(archived_at=None)
    CustomerUser.objects.filter(user=dana).update(removed_at=timezone.now())
    assert caller.get("/devices").status_code == 401


def test_a_customer_s_key_has_customers_scopes_only(dana, customer):
    with pytest.raises(Refused):
        customer_key(dana, customer, Permission.VIEW)
    assert {scope.value for scope in CustomerScope}.isdisjoint({permission.value for permission in Permission})


def test_the_last_use_is_noted_to_the_minute(alice):
    caller = Caller(key_of(alice))
    caller.get("/devices")
    first = ApiKey.objects.get().last_used_at
    caller.get("/devices")
    assert ApiKey.objects.get().last_used_at == first is not None
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    caller.get("/devices")
    assert ApiKey.objects.get().last_used_at > first


def test_a_session_opens_nothing_and_a_key_opens_no_page(client_for, alice):
    assert client_for(alice).get("/api/v1/devices").status_code == 401
    answer = Caller(key_of(alice)).client.get("/devices/", headers={"authorization": f"Bearer {key_of(alice)}"})
    assert answer.status_code == 302


def test_too_many_calls_are_a_429_that_says_when_to_go_on(alice, settings):
    settings.API_CALLS_A_MINUTE = 3
    caller, other = Caller(key_of(alice)), Caller(key_of(alice))
    assert [caller.get("/products").status_code for _each in range(4)] == [200, 200, 200, 429]
    answer = caller.get("/products")
    assert 1 <= int(answer["Retry-After"]) <= 21
    assert other.get("/products").status_code == 200
    limits.forget()
    assert caller.get("/products").status_code == 200


def test_calls_that_are_refused_count_and_those_without_a_key_or_a_method_do_not(alice, settings):
    settings.API_CALLS_A_MINUTE = 3
    caller, nobody = Caller(key_of(alice, "view")), Caller("")
    assert [caller.delete("/products").status_code for _each in range(4)] == [405] * 4
    assert [nobody.get("/products").status_code for _each in range(4)] == [401] * 4
    answers = [caller.post("/products", {"name": "Flow Probe"}) for _each in range(4)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]


def test_limits_and_permissions_are_where_the_framework_looks_for_them():
    view = resolve("/api/v1/products").func.cls
    assert (view.permission_classes, view.throttle_classes) == ([HasKey, MayCall], [CallsAMinute])


def test_a_repeated_call_gets_its_first_answer_and_does_nothing_again(alice):
    caller, token = Caller(key_of(alice)), {"Idempotency-Key": "order-7"}
    first = caller.post("/products", {"name": "Flow Probe"}, headers=token)
    second = caller.post("/products", {"name": "Flow Probe"}, headers=token)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert (Product.objects.count(), Event.objects.filter(kind="product.created").count()) == (1, 1)
    other = caller.post("/products", {"name": "Other"}, headers=token)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Product.objects.count() == 1
    # The negative control: without the key it is done, or refused, anew.
    assert caller.post("/products", {"name": "Flow Probe"}).status_code == 422


def test_the_token_of_one_key_means_nothing_to_another(alice):
    token = {"Idempotency-Key": "order-7"}
    for name in ("One", "Two"):
        assert Caller(key_of(alice)).post("/products", {"name": name}, headers=token).status_code == 201


def test_a_refused_call_is_executed_again(alice, product):
    caller, token = Caller(key_of(alice)), {"Idempotency-Key": "order-8"}
    assert caller.post("/products", {"name": product.name}, headers=token).status_code == 422
    assert not IdempotentAnswer.objects.exists()
    assert caller.post("/products", {"name": "Other"}, headers=token).status_code == 201


def test_answers_are_forgotten_after_a_day(alice):
    caller, token = Caller(key_of(alice)), {"Idempotency-Key": "order-9"}
    caller.post("/products", {"name": "One"}, headers=token)
    assert idempotency.delete_old() == 0
    assert idempotency.delete_old(timezone.now() + timedelta(days=2)) == 1


def test_an_address_that_does_not_exist_and_a_method_that_does_not_are_problems_too(alice):
    caller = Caller(key_of(alice))
    assert caller.get("/nothing").json()["code"] == "not_found"
    answer = caller.delete("/products")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in answer["Allow"]
    answer = caller.client.post("/api/v1/products", "{", content_type="application/json", headers=caller.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    answer = caller.client.post("/api/v1/products", "a=1", content_type="text/plain", headers=caller.headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    answer = caller.client.post(
        "/api/v1/products", b" " * (17 * 1024 * 1024), content_type="application/json", headers=caller.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    # More digits than Python reads as a number.
    headers = {"CONTENT_LENGTH": "9" * 5_000, "content_type": "application/json", "headers": caller.headers}
    answer = caller.client.generic("POST", "/api/v1/products", b"{}", **headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_an_operation_has_the_rights_of_its_key_and_stops_with_it(alice, customer, make_devices):
    devices = make_devices(3)
    key, text = api_keys.create(name="Line", scopes=["view", "device.assign"], by=factories.actor_of(alice))
    caller = Caller(text)
    for stopped in (False, True):
        body = {"devices": [devices[stopped].serial_number]}
        pk = caller.post(f"/customers/{customer.pk}/devices:assign", body).json()["id"]
        actor = operations.actor_of(Operation.objects.get(pk=pk)) if not stopped else None
        if stopped:
            api_keys.revoke(key, by=factories.actor_of(alice))
        else:
            assert actor.permissions == {"view", "device.assign"}
        operations.run(pk)
        assert Operation.objects.get(pk=pk).state == ("failed" if stopped else "done")
    assert list(Device.objects.filter(customer=customer)) == [devices[0]]


def test_batches_that_wait_together_keep_within_fifty_unclaims_an_hour(alice, customer, make_devices):
    devices, by = make_devices(60), factories.actor_of(alice)
    ownership.assign([d.pk for d in devices], customer=customer, by=by)
    caller = Caller(key_of(alice, "view", "device.unclaim"))
    started = [
        caller.post("/devices:unclaim", {"devices": [d.serial_number for d in part], "reason": "x"}).json()["id"]
        for part in (devices[:30], devices[30:])
    ]
    for pk in started:
        operations.run(pk)
    assert [Operation.objects.get(pk=pk).state for pk in started] == ["done", "failed"]
    assert Device.objects.filter(customer=customer).count() == 30


def test_the_keys_of_a_member_who_left_stay_revoked_if_they_return(alice, organization, dana, customer):
    manager, by = factories.make_member(organization, "product_manager"), factories.actor_of(alice)
    staff, theirs = Caller(key_of(manager)), Caller(customer_key(dana, customer))
    members.remove(manager.memberships.get(), by=by)
    people.remove(CustomerUser.objects.get(user=dana), by=by)
    Member.objects.filter(user=manager).update(removed_at=None)
    CustomerUser.objects.filter(user=dana).update(removed_at=None)
    assert [caller.get("/devices").status_code for caller in (staff, theirs)] == [401, 401]
    other = Caller(key_of(alice))
    type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    assert other.get("/devices").status_code == 401


def test_an_answer_that_holds_a_secret_is_kept_nowhere(alice):
    caller, body = Caller(key_of(alice)), {"url": "https://example.com/SECRET", "events": ["device.assigned"]}
    answer = caller.post("/webhooks", body, headers={"Idempotency-Key": "one"})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_repeatable")
    made = caller.post("/webhooks", body)
    assert made.json()["secret"].startswith("whsec_")
    assert not IdempotentAnswer.objects.exists()
    told = json.dumps(list(Event.objects.filter(kind="webhook.created").values("subject_label", "data")))
    assert "https://example.com" in told
    assert "SECRET" not in told


def test_times_are_utc_whatever_a_cookie_says(alice):
    caller = Caller(key_of(alice))
    made = caller.post("/products", {"name": "One"}).json()["created_at"]
    caller.client.cookies["custody_tz"] = "Asia/Tokyo"
    assert caller.get("/products/one").json()["created_at"] == made


def test_json_that_is_nested_too_deep_and_forged_cursors_are_refused(alice):
    caller = Caller(key_of(alice))
    answer = caller.client.post(
        "/api/v1/customers", "[" * 100_000, content_type="application/json", headers=caller.headers
    )
    assert answer.status_code == 400
    for text in ("5 9999-12-31T23:59:59-14:00", "5 0001-01-01T00:00:00+14:00", "5 x", "x"):
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        assert caller.get("/events", cursor=cursor).json()["code"] == "bad_cursor"


def test_without_the_scope_view_a_key_does_nothing_for_every_answer_shows_something(alice):
    every = factories.actor_of(alice).permissions - {Permission.VIEW}
    blind = Caller(key_of(alice, *every))
    answer = blind.post("/webhooks", {"url": "https://evil.example/h", "events": ["message"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "view_needed")
    assert not Webhook.objects.exists()


def test_an_invitation_opens_nothing_once_its_key_is_over(alice, organization):
    by = factories.actor_of(alice)
    soon = timezone.now() + timedelta(hours=1)
    key, _text = api_keys.create(name="Short", scopes=["view", "member.manage"], by=by, expires_at=soon)
    _invitation, link = members.invite("a@b.example", "viewer", by=replace(by, key_id=key.pk))
    token = link.rstrip("/").rsplit("/", 1)[1]
    assert members.find_open(token) is not None
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert members.find_open(token) is None


def test_a_customer_s_key_of_staff_does_what_its_maker_still_may(alice, customer, organization):
    head = factories.make_member(organization, "administrator")
    caller = Caller(customer_key(head, customer))
    assert caller.get("/key").json()["scopes"] == sorted(CustomerScope)
    Member.objects.filter(user=head).update(role="fulfilment")
    assert caller.get("/key").json()["scopes"] == ["customer.claim", "customer.read", "customer.take"]
    Member.objects.filter(user=head).update(role="viewer")
    assert caller.get("/key").status_code == 401


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_what_goes_wrong_on_our_side_is_a_problem_document_whatever_the_method(method, alice, monkeypatch):
    caller = Caller(key_of(alice))
    caller.client.raise_request_exception = False
    monkeypatch.setattr(limits, "spend", lambda key_id: 1 / 0)
    answer = getattr(caller, method)("/devices/1", {"notes": "y"} if method == "patch" else None)
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "server_error"


def test_a_number_that_no_device_has_is_not_found(alice):
    assert Caller(key_of(alice)).get(f"/devices/{2**63}/calls/1").status_code == 404


@pytest.mark.parametrize("method", ["get", "delete"])
def test_an_address_that_no_pattern_takes_is_a_problem_document_too(method, alice):
    answer = getattr(Caller(key_of(alice)), method)("/webhooks/%0Ax")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_key_of_the_organization_without_the_scope_view_is_not_created_in_the_console(client_for, alice):
    sent = {"name": "Blind", "days": "90", "scopes": ["device.assign"]}
    answer = client_for(alice).post("/settings/api-keys/new/", sent)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["scopes"])
    assert not ApiKey.objects.exists()
    assert (
        client_for(alice).post("/settings/api-keys/new/", sent | {"scopes": ["device.assign", "view"]}).status_code
        == 303
    )
    assert ApiKey.objects.get().scopes == ["device.assign", "view"]
