"""Who may open what: every route, every role, every method, in one table. A route that is not in it fails the tests.

The table says it in its own words and does not ask the code: a mistake in the code's table shows here.
"""

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from console.models import Event
from devices.models import Ownership
from tests import factories
from tests.extent import extent

pytestmark = pytest.mark.django_db

MEMBERS = ["owner", "administrator", "product_manager", "fulfilment", "support", "viewer"]
EVERY = set(MEMBERS)
MANAGERS = {"owner", "administrator", "product_manager"}
HEADS = {"owner", "administrator"}
NO_VIEWER = EVERY - {"viewer"}
STAFF = {"owner", "administrator", "product_manager", "support"}
PACKERS = {"owner", "administrator", "product_manager", "fulfilment"}
METHODS = ["get", "post", "put", "patch", "delete", "options"]

# name: (who may open it, the names of its arguments). A "device" stands for the id of Northlake's device, and so on.
CONSOLE: dict[str, tuple[set[str], dict[str, str]]] = {
    "console:home": (EVERY, {}),
    "console:search": (EVERY, {}),
    "console:activity_list": (EVERY, {}),
    "console:activity_export": (NO_VIEWER, {}),
    "console:operation_list": (EVERY, {}),
    "console:operation_detail": (EVERY, {"pk": "operation"}),
    "console:operation_refused": (EVERY, {"pk": "operation"}),
    "console:organization_edit": (HEADS, {}),
    "console:organization_logo": (HEADS, {}),
    "console:domain_list": (HEADS, {}),
    "console:domain_remove": (HEADS, {"pk": "domain"}),
    "console:role_list": (EVERY, {}),
    "console:member_list": (HEADS, {}),
    "console:invitation_create": (HEADS, {}),
    "console:member_edit": (HEADS, {"pk": "member"}),
    "console:member_remove": (HEADS, {"pk": "member"}),
    "console:invitation_revoke": (HEADS, {"pk": "invitation"}),
    "customers:api_key_list": (HEADS, {}),
    "customers:api_key_create": (HEADS, {}),
    "customers:api_key_revoke": (HEADS, {"pk": "api_key"}),
    "customers:api_key_show": (HEADS, {"pk": "api_key"}),
    "console:webhook_list": (HEADS, {}),
    "console:webhook_create": (HEADS, {}),
    "console:webhook_detail": (HEADS, {"pk": "webhook"}),
    "console:webhook_edit": (HEADS, {"pk": "webhook"}),
    "console:webhook_rotate": (HEADS, {"pk": "webhook"}),
    "console:webhook_enable": (HEADS, {"pk": "webhook"}),
    "console:webhook_disable": (HEADS, {"pk": "webhook"}),
    "console:webhook_kept": (HEADS, {"pk": "webhook"}),
    "console:webhook_remove": (HEADS, {"pk": "webhook"}),
    "console:webhook_test": (HEADS, {"pk": "webhook"}),
    "console:webhook_delivery": (HEADS, {"pk": "webhook", "delivery_pk": "webhook_call"}),
    "console:webhook_delivery_again": (HEADS, {"pk": "webhook", "delivery_pk": "webhook_call"}),
    "customers:customer_list": (EVERY, {}),
    "customers:customer_options": (EVERY, {}),
    "customers:customer_create": (NO_VIEWER, {}),
    "customers:customer_export": (NO_VIEWER, {}),
    "customers:customer_import": (MANAGERS, {}),
    "customers:customer_import_detail": (MANAGERS, {"pk": "customer_import"}),
    "customers:customer_import_columns": (MANAGERS, {"pk": "customer_import"}),
    "customers:customer_import_apply": (MANAGERS, {"pk": "customer_import"}),
    "customers:customer_import_refused": (MANAGERS, {"pk": "customer_import"}),
    "customers:customer_detail": (EVERY, {"pk": "customer"}),
    "customers:customer_edit": (NO_VIEWER, {"pk": "customer"}),
    "customers:customer_archive": (NO_VIEWER, {"pk": "customer"}),
    "customers:customer_restore": (NO_VIEWER, {"pk": "customer"}),
    "customers:project_create": (NO_VIEWER, {"pk": "customer"}),
    "customers:project_edit": (NO_VIEWER, {"pk": "customer", "project_pk": "project"}),
    "customers:project_detail": (EVERY, {"pk": "customer", "project_pk": "project"}),
    "customers:project_member_end": (
        NO_VIEWER,
        {"pk": "customer", "project_pk": "project", "member_pk": "project_member"},
    ),
    "customers:customer_invite": (NO_VIEWER, {"pk": "customer"}),
    "customers:customer_user_edit": (NO_VIEWER, {"pk": "customer", "user_pk": "person"}),
    "customers:customer_user_remove": (NO_VIEWER, {"pk": "customer", "user_pk": "person"}),
    "devices:product_list": (EVERY, {}),
    "devices:product_create": (MANAGERS, {}),
    "devices:product_detail": (EVERY, {"pk": "product"}),
    "devices:product_edit": (MANAGERS, {"pk": "product"}),
    "devices:product_archive": (MANAGERS, {"pk": "product"}),
    "devices:product_restore": (MANAGERS, {"pk": "product"}),
    "devices:device_list": (EVERY, {}),
    "devices:device_create": (STAFF, {}),
    "devices:device_export": (NO_VIEWER, {}),
    "devices:device_assign": (NO_VIEWER, {}),
    "devices:device_unclaim": (STAFF, {}),
    "devices:device_assign_undo": (NO_VIEWER, {"pk": "assigned"}),
    "devices:device_unclaim_undo": (STAFF, {"pk": "unclaimed"}),
    "devices:manifest_create": (MANAGERS, {}),
    "devices:manifest_detail": (MANAGERS, {"pk": "manifest"}),
    "devices:manifest_columns": (MANAGERS, {"pk": "manifest"}),
    "devices:manifest_apply": (MANAGERS, {"pk": "manifest"}),
    "devices:manifest_refused": (MANAGERS, {"pk": "manifest"}),
    "devices:device_changes_create": (NO_VIEWER, {}),
    "devices:device_changes_detail": (NO_VIEWER, {"pk": "round_trip"}),
    "devices:device_changes_columns": (NO_VIEWER, {"pk": "round_trip"}),
    "devices:device_changes_apply": (NO_VIEWER, {"pk": "round_trip"}),
    "devices:device_changes_refused": (NO_VIEWER, {"pk": "round_trip"}),
    "devices:device_detail": (EVERY, {"pk": "device"}),
    "devices:device_edit": (STAFF, {"pk": "device"}),
    "devices:device_archive": (MANAGERS, {"pk": "device"}),
    "devices:device_restore": (MANAGERS, {"pk": "device"}),
    "devices:message_list": (EVERY, {"pk": "device"}),
    "devices:message_export": (NO_VIEWER, {"pk": "device"}),
    "devices:call_create": (STAFF, {"pk": "device"}),
    "devices:call_detail": (EVERY, {"pk": "device", "call_pk": "call"}),
    "devices:device_secret": (STAFF, {"pk": "device"}),
    "devices:device_access_end": (STAFF, {"pk": "device", "share_pk": "share"}),
    "claims:claim_profile_list": (EVERY, {}),
    "claims:claim_profile_create": (MANAGERS, {}),
    "claims:claim_profile_export": (NO_VIEWER, {}),
    "claims:claim_profile_add_units": (MANAGERS, {}),
    "claims:claim_profile_detail": (EVERY, {"pk": "profile"}),
    "claims:claim_profile_edit": (MANAGERS, {"pk": "profile"}),
    "claims:claim_profile_enable": (MANAGERS, {"pk": "profile"}),
    "claims:claim_profile_disable": (MANAGERS, {"pk": "profile"}),
    "claims:claim_profile_claims": (EVERY, {"pk": "profile"}),
    "claims:claim_profile_units": (EVERY, {"pk": "unit_profile"}),
    "claims:claim_profile_units_export": (NO_VIEWER, {"pk": "unit_profile"}),
    "claims:claim_profile_replace_code": (MANAGERS, {"pk": "profile"}),
    "claims:claim_profile_qr": (NO_VIEWER, {"pk": "profile", "form": "=svg"}),
    "claims:shipment_list": (EVERY, {}),
    "claims:shipment_create": (PACKERS, {}),
    "claims:shipment_detail": (EVERY, {"pk": "shipment"}),
    "claims:shipment_edit": (PACKERS, {"pk": "shipment"}),
    "claims:shipment_pack": (PACKERS, {"pk": "shipment"}),
    "claims:shipment_unpack": (PACKERS, {"pk": "shipment"}),
    "claims:shipment_ship": (PACKERS, {"pk": "shipment"}),
    "claims:shipment_cancel": (PACKERS, {"pk": "shipment"}),
    "claims:shipment_reopen": (PACKERS, {"pk": "shipment"}),
    "claims:shipment_packing_list": (EVERY, {"pk": "shipment"}),
    "claims:shipment_export": (NO_VIEWER, {"pk": "shipment"}),
    "claims:return_list": (EVERY, {}),
    "claims:return_detail": (EVERY, {"pk": "return"}),
    "claims:return_export": (NO_VIEWER, {}),
    "claims:return_workbench": (NO_VIEWER, {}),
    "claims:return_receive": (NO_VIEWER, {}),
    "claims:return_receive_undo": (NO_VIEWER, {"pk": "received"}),
    "claims:return_inspect": (STAFF, {}),
    "claims:return_inspect_undo": (STAFF, {"pk": "inspected"}),
    "claims:return_cancel": (STAFF, {"pk": "return"}),
    "claims:return_label_queue": (EVERY, {}),
    "claims:return_label_done": (NO_VIEWER, {}),
    "claims:return_settings": (HEADS, {}),
    "claims:device_swap": (STAFF, {"pk": "owned_device"}),
    "claims:unit_code_qr": (NO_VIEWER, {"pk": "device", "form": "=svg"}),
    "claims:unit_code_replace": (STAFF, {"pk": "device"}),
    "claims:label_sheet_list": (NO_VIEWER, {}),
    "claims:label_sheet_create": (NO_VIEWER, {}),
    "claims:label_sheet_detail": (NO_VIEWER, {"pk": "label_sheet"}),
    "claims:label_sheet_download": (NO_VIEWER, {"pk": "label_sheet"}),
}

# Pages without a page: they are pressed, not opened.
POST_ONLY = {
    "claims:claim_profile_enable",
    "claims:claim_profile_disable",
    "claims:claim_profile_units_export",
    "claims:label_sheet_download",
    "claims:return_cancel",
    "claims:shipment_unpack",
    "claims:shipment_reopen",
}
# Open to everybody, to whoever is signed in, or to people in their part as a customer. The reason stands at the view.
PUBLIC = {
    "console:setup",
    "console:invitation_accept",
    "console:mail_open",
    "console:mail_list",
    "console:logo",
    "console:sign_in_link",
    "console:code_again",
    "console:healthz",
    "console:readyz",
    "console:language",
    "claim:landing",
    "claim:code",
    "claim:code_as_printed",
    "claim:landing_as_typed",
    "api:openapi",
    "api:docs",
    # A device proves who it is with its secret, in every request (tests/devices/test_device_api.py).
    "device_api:message_create",
    "device_api:state",
    "device_api:call_list",
    "device_api:call_answer",
}
SIGNED_IN = {
    "console:sign_out_everywhere",
    "console:account_edit",
    "console:second_factor",
    "console:organization_switch",
    "claim:review",
    "claim:redeem",
    "claim:done",
    "claim:switch",
}
PORTAL: dict[str, dict[str, str]] = {
    "portal:home": {},
    "portal:past_device_list": {},
    "portal:project_detail": {"pk": "project"},
    "portal:device_detail": {"pk": "owned_device"},
    "portal:message_list": {"pk": "owned_device"},
    "portal:message_export": {"pk": "owned_device"},
    "portal:message_project_list": {"pk": "project"},
    "portal:message_project_export": {"pk": "project"},
    "portal:return_list": {},
    "portal:return_detail": {"pk": "return"},
    "portal:return_slip": {"pk": "return"},
    "portal:return_create": {"pk": "owned_device"},
    "portal:call_list": {"pk": "owned_device"},
    "portal:call_create": {"pk": "owned_device"},
    "portal:call_detail": {"pk": "owned_device", "call_pk": "owned_call"},
}
# The same, for the admins of a customer: to its other people they are not there.
PORTAL_ADMINS: dict[str, dict[str, str]] = {
    "portal:api_key_list": {},
    "portal:api_key_create": {},
    "portal:api_key_revoke": {"pk": "customer_key"},
    "portal:api_key_show": {"pk": "customer_key"},
    "portal:project_edit": {"pk": "project"},
    "portal:project_member_end": {"pk": "project", "member_pk": "project_member"},
    "portal:device_access_end": {"pk": "owned_device", "share_pk": "owned_share"},
}
# The same, pressed and not opened.
PORTAL_POST: dict[str, dict[str, str]] = {"portal:return_cancel": {"pk": "return"}}
# Pages of the sign-in library, which guards them itself, and of Django.
LIBRARY = ("account_", "mfa_", "set_language")


def routes(patterns=None, namespace="") -> list[str]:
    """The full names of all routes."""
    found: list[str] = []
    for entry in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            found += routes(entry.url_patterns, inner)
        # The calls of the API have a table of their own, in tests/rest/test_api_access.py.
        elif isinstance(entry, URLPattern) and (namespace != "api:" or entry.name):
            found.append(f"{namespace}{entry.name}")
    return found


@pytest.fixture
def world(organization, device, customer, dana, product, alice, make_devices):
    """One row of each kind in Northlake, by the names that the table uses."""
    from tests.access_world import rows

    return rows(organization, device, customer, dana, product, alice, make_devices(1)[0])


def address(name: str, arguments: dict[str, str], world: dict) -> str:
    values = {key: value[1:] if value.startswith("=") else world[value].pk for key, value in arguments.items()}
    return reverse(name, kwargs=values)


def test_every_route_is_in_the_table():
    known = set(CONSOLE) | PUBLIC | SIGNED_IN | set(PORTAL) | set(PORTAL_POST) | set(PORTAL_ADMINS)
    unknown = {name for name in routes() if name not in known and not name.startswith(LIBRARY)}
    assert unknown == set()
    assert {name for name in known if name not in routes()} == set()


def test_every_view_of_ours_says_who_may_open_it():
    def views(patterns):
        for entry in patterns:
            if isinstance(entry, URLResolver):
                yield from views(entry.url_patterns)
            else:
                yield entry

    for entry in views(get_resolver().url_patterns):
        if entry.callback.__module__.split(".")[0] in {"console", "customers", "devices", "claims"}:
            assert getattr(entry.callback, "policy", None) not in {None, "handler"}, entry.name


def ask(client, method: str, url: str):
    """Ask, and take back whatever the answer changed, so that each question meets the same world."""
    with transaction.atomic():
        answer = getattr(client, method)(url)
        traces = (Event.objects.count(), Ownership.objects.filter(ended_at=None).count())
        transaction.set_rollback(True)
    return answer, traces


@pytest.mark.parametrize("role", MEMBERS)
def test_a_role_opens_what_the_table_gives_it_and_nothing_else(role, world, client_for):
    client, wrong = client_for(role), []
    # That a view knows no other method, and answers a form of whoever opens it, does not depend on who asks.
    is_first = role == MEMBERS[0]
    untouched = (Event.objects.count(), Ownership.objects.filter(ended_at=None).count())
    for name, (allowed, arguments) in CONSOLE.items():
        url = address(name, arguments, world)
        one = ["post"] if name in POST_ONLY else ["get"]
        usual = METHODS if is_first else one if role in allowed else ["get", "post"]
        for method in extent(usual, METHODS):
            answer, traces = ask(client, method, url)
            if method not in {"get", "post"} or (method == "get" and name in POST_ONLY and role in allowed):
                expected = {405}
            elif role in allowed:
                expected = {200, 302, 303, 409, 422}
            else:
                expected = {403}
            if answer.status_code not in expected:
                wrong.append((name, method, answer.status_code, expected))
            if role not in allowed and traces != untouched:
                wrong.append((name, method, "left traces"))
    assert wrong == []


def test_the_signed_out_are_sent_to_sign_in_and_customers_are_refused(world, client, client_for, dana):
    customer, wrong = client_for(dana), []
    untouched = (Event.objects.count(), Ownership.objects.filter(ended_at=None).count())
    for name, (_allowed, arguments) in CONSOLE.items():
        url = address(name, arguments, world)
        for method in ("get", "post"):
            answer, traces = ask(client, method, url)
            if answer.status_code != 302 or not answer.url.startswith("/account/login/") or traces != untouched:
                wrong.append((name, method, "signed out", answer.status_code))
            answer, traces = ask(customer, method, url)
            is_led_home = name == "console:home" and answer.status_code == 302 and answer.url == "/portal/"
            if (answer.status_code != 403 and not is_led_home) or traces != untouched:
                wrong.append((name, method, "customer", answer.status_code))
    assert wrong == []


def test_rows_of_another_organization_do_not_exist(world, client_for, charlie):
    client, wrong = client_for(charlie), []
    untouched = (Event.objects.count(), Ownership.objects.filter(ended_at=None).count())
    for name, (_allowed, arguments) in CONSOLE.items():
        if "pk" not in arguments:
            continue
        for method in ("get", "post"):
            answer, traces = ask(client, method, address(name, arguments, world))
            is_refused = answer.status_code == 404 or (
                method == "get" and name in POST_ONLY and answer.status_code == 405
            )
            if not is_refused or traces != untouched:
                wrong.append((name, method, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("name", PORTAL)
def test_the_portal_shows_each_customer_its_own(name, world, client, client_for, dana, erin, charlie):
    url = address(name, PORTAL[name], world)
    assert client_for(dana).get(url).status_code == 200
    for stranger in (erin, charlie):
        assert client_for(stranger).get(url).status_code == (404 if PORTAL[name] else 200), (name, stranger)
    answer = client.get(url)
    assert (answer.status_code, answer.url.split("?")[0]) == (302, "/account/login/code/")


@pytest.mark.parametrize("name", PORTAL_POST)
def test_what_is_pressed_in_the_portal_is_each_customers_own(name, world, client, client_for, dana, erin, charlie):
    url = address(name, PORTAL_POST[name], world)
    untouched = (Event.objects.count(), Ownership.objects.filter(ended_at=None).count())
    for stranger in (erin, charlie):
        answer, traces = ask(client_for(stranger), "post", url)
        assert (answer.status_code, traces) == (404, untouched), stranger
    assert client_for(dana).get(url).status_code == 405
    answer = client.post(url)
    assert (answer.status_code, answer.url.split("?")[0]) == (302, "/account/login/code/")
    assert client_for(dana).post(url).status_code == 302


@pytest.mark.parametrize("name", PORTAL_ADMINS)
def test_what_a_customers_admins_do_is_not_there_for_its_other_people(
    name, world, client, client_for, customer, dana, erin, charlie, alice
):
    url = address(name, PORTAL_ADMINS[name], world)
    untouched = (Event.objects.count(), Ownership.objects.filter(ended_at=None).count())
    others = [factories.make_person(customer, f"{role}@aalen.example", role) for role in ("operator", "viewer")]
    for stranger in (charlie, alice, *others, *([erin] if PORTAL_ADMINS[name] else [])):
        for method in ("get", "post"):
            answer, traces = ask(client_for(stranger), method, url)
            assert (answer.status_code, traces) == (404, untouched), (name, stranger, method)
    assert client_for(dana).get(url).status_code == 200
    answer = client.get(url)
    assert (answer.status_code, answer.url.split("?")[0]) == (302, "/account/login/code/")


@pytest.mark.parametrize("name", ["console:account_edit", "console:second_factor"])
def test_pages_of_the_person_need_a_person(name, client, client_for):
    assert client.get(reverse(name)).status_code == 302
    assert client_for("viewer").get(reverse(name)).status_code == 200


def test_a_member_who_left_loses_access_at_once(world, client_for, bob):
    client = client_for(bob)
    assert client.get("/devices/").status_code == 200
    bob.memberships.update(removed_at="2026-11-01T00:00Z")
    assert client.get("/devices/").status_code == 403


def test_a_member_without_the_second_step_that_is_asked_for_sees_nothing(world, client_for, bob, organization):
    type(organization).objects.update(requires_second_factor=True)
    answer = client_for(bob).get("/devices/")
    assert (answer.status_code, answer.url) == (302, reverse("console:second_factor"))


def test_a_form_without_its_token_is_refused(world, alice):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, "allauth.account.auth_backends.AuthenticationBackend")
    for name, (_roles, arguments) in CONSOLE.items():
        assert client.post(address(name, arguments, world)).status_code == 403, name


def test_a_foreign_id_in_a_selection_selects_nothing(world, client_for, alice, foreign_device, customer):
    answer = client_for(alice).post(
        reverse("devices:device_assign"), {"ids": foreign_device.pk, "customer": customer.pk}
    )
    assert answer.status_code in {302, 409, 422}
    assert not Ownership.objects.filter(device=foreign_device).exists()


def test_a_device_is_not_assigned_to_the_customer_of_another_organization(
    world, client_for, alice, device, other_organization
):
    stranger = factories.make_customer(other_organization, "Stranger")
    answer = client_for(alice).post(reverse("devices:device_assign"), {"ids": device.pk, "customer": stranger.pk})
    assert answer.status_code == 422
    assert not Ownership.objects.filter(customer=stranger).exists()
