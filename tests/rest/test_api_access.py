"""Every call of the API × every kind of key, in one table. A call that is not in it fails the tests."""

import re

import pytest
from django.db import transaction
from django.urls import URLPattern, get_resolver

from console.access import CustomerScope, Permission
from console.models import Event
from console.webhooks import actions as webhooks
from customers.imports.actions import IMPORTER as customer_imports
from customers.projects.actions import projects
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.calls import actions as calls
from devices.edited_exports.actions import IMPORTER as roundtrips
from devices.manifest.actions import IMPORTER as manifests
from devices.models import Ownership, SharedAccess
from tests import factories
from tests.access_world import operation_of
from tests.api import Caller, customer_key, key_of
from tests.rest import claims_world, organization_world

pytestmark = pytest.mark.django_db

P, C = Permission, CustomerScope
# Every key of this kind may call it.
ANY = "any"
# name: (what an organization's key needs, what a customer's key needs); None: no such key may call it.
TABLE = {
    "operation_undo": (P.VIEW, None),
    "operation_list": (P.VIEW, None),
    "operation_detail": (P.VIEW, None),
    "operation_results": (P.VIEW, None),
    "operation_results_csv": (P.VIEW, None),
    "customer_list": (P.VIEW, None),
    "customer_create": (P.CUSTOMER_EDIT, None),
    "customer_detail": (P.VIEW, None),
    "customer_edit": (P.CUSTOMER_EDIT, None),
    "customer_archive": (P.CUSTOMER_EDIT, None),
    "customer_restore": (P.CUSTOMER_EDIT, None),
    "project_list": (P.VIEW, C.READ),
    "product_list": (P.VIEW, None),
    "product_create": (P.PRODUCT_EDIT, None),
    "product_detail": (P.VIEW, None),
    "product_edit": (P.PRODUCT_EDIT, None),
    "product_archive": (P.PRODUCT_EDIT, None),
    "product_restore": (P.PRODUCT_EDIT, None),
    "device_list": (P.VIEW, C.READ),
    "device_create": (P.DEVICE_EDIT, None),
    "device_detail": (P.VIEW, C.READ),
    "device_edit": (P.DEVICE_EDIT, None),
    "device_archive": (P.DEVICE_ARCHIVE, None),
    "device_restore": (P.DEVICE_ARCHIVE, None),
    "owner_assign": (P.DEVICE_ASSIGN, None),
    "owner_unclaim": (P.DEVICE_UNCLAIM, None),
    "devices_assign": (P.DEVICE_ASSIGN, None),
    "devices_unclaim": (P.DEVICE_UNCLAIM, None),
    "message_list": (P.VIEW, C.READ),
    "message_export_csv": (P.EXPORT, C.READ),
    "message_export_xlsx": (P.EXPORT, C.READ),
    "project_message_list": (P.VIEW, C.READ),
    "message_stream": (P.VIEW, C.READ),
    "project_message_export_csv": (P.EXPORT, C.READ),
    "project_message_export_xlsx": (P.EXPORT, C.READ),
    "call_create": (P.DEVICE_CALL, C.CALL),
    "call_list": (P.VIEW, C.READ),
    "call_detail": (P.VIEW, C.READ),
    "webhook_list": (P.WEBHOOK_MANAGE, None),
    "webhook_create": (P.WEBHOOK_MANAGE, None),
    "webhook_detail": (P.WEBHOOK_MANAGE, None),
    "webhook_edit": (P.WEBHOOK_MANAGE, None),
    "webhook_remove": (P.WEBHOOK_MANAGE, None),
    "webhook_enable": (P.WEBHOOK_MANAGE, None),
    "webhook_disable": (P.WEBHOOK_MANAGE, None),
    "webhook_rotate": (P.WEBHOOK_MANAGE, None),
    "webhook_kept_send": (P.WEBHOOK_MANAGE, None),
    "webhook_kept_discard": (P.WEBHOOK_MANAGE, None),
    "webhook_test": (P.WEBHOOK_MANAGE, None),
    "delivery_list": (P.WEBHOOK_MANAGE, None),
    "delivery_detail": (P.WEBHOOK_MANAGE, None),
    "delivery_send": (P.WEBHOOK_MANAGE, None),
    "claim_profile_list": (P.VIEW, None),
    "claim_profile_create": (P.PROFILE_EDIT, None),
    "claim_profile_detail": (P.VIEW, None),
    "claim_profile_edit": (P.PROFILE_EDIT, None),
    "claim_profile_enable": (P.PROFILE_EDIT, None),
    "claim_profile_disable": (P.PROFILE_EDIT, None),
    "claim_profile_code": (P.CODE_VIEW, None),
    "claim_profile_qr_svg": (P.CODE_VIEW, None),
    "claim_profile_qr_png": (P.CODE_VIEW, None),
    "claim_profile_replace_code": (P.PROFILE_EDIT, None),
    "claim_profile_claims": (P.VIEW, None),
    "claim_profile_units": (P.VIEW, None),
    "claim_profile_add_units": (P.PROFILE_EDIT, None),
    "device_claim_codes": (P.CODE_VIEW, None),
    "device_claim_codes_replace": (P.DEVICE_EDIT, None),
    "claim_list": (P.VIEW, C.READ),
    "claim_detail": (P.VIEW, C.READ),
    "claim_redeem": (None, C.CLAIM),
    "shipment_list": (P.VIEW, None),
    "shipment_create": (P.SHIPMENT_EDIT, None),
    "shipment_detail": (P.VIEW, None),
    "shipment_edit": (P.SHIPMENT_EDIT, None),
    "shipment_pack": (P.SHIPMENT_EDIT, None),
    "shipment_unpack": (P.SHIPMENT_EDIT, None),
    "shipment_ship": (P.SHIPMENT_EDIT, None),
    "shipment_send": (P.SHIPMENT_EDIT, None),
    "shipment_cancel": (P.SHIPMENT_EDIT, None),
    "shipment_reopen": (P.SHIPMENT_EDIT, None),
    "shipment_units": (P.VIEW, None),
    "shipment_balance": (P.VIEW, None),
    "shipment_packing_list": (P.VIEW, None),
    "return_list": (P.VIEW, C.READ),
    "return_choice_list": (P.VIEW, C.READ),
    "return_receive": (P.RETURN_RECEIVE, None),
    "return_inspect": (P.RETURN_EDIT, None),
    "return_request": (None, C.TAKE),
    "return_detail": (P.VIEW, C.READ),
    "return_cancel": (P.RETURN_EDIT, C.TAKE),
    "return_slip": (P.VIEW, C.READ),
    "device_swap": (P.RETURN_EDIT, None),
    "label_sheet_list": (P.CODE_VIEW, None),
    "label_sheet_create": (P.CODE_VIEW, None),
    "label_sheet_detail": (P.CODE_VIEW, None),
    "label_sheet_file": (P.CODE_VIEW, None),
    "event_list": (P.VIEW, None),
    "person_list": (P.VIEW, None),
    "person_invite": (P.CUSTOMER_INVITE, None),
    "person_edit": (P.CUSTOMER_INVITE, None),
    "person_remove": (P.CUSTOMER_INVITE, None),
    "customer_import_list": (P.CUSTOMER_IMPORT, None),
    "customer_import_create": (P.CUSTOMER_IMPORT, None),
    "customer_import_detail": (P.CUSTOMER_IMPORT, None),
    "customer_import_apply": (P.CUSTOMER_IMPORT, None),
    "customer_import_refused": (P.CUSTOMER_IMPORT, None),
    "device_import_list": (P.DEVICE_IMPORT, None),
    "device_import_create": (P.DEVICE_IMPORT, None),
    "device_import_detail": (P.DEVICE_IMPORT, None),
    "device_import_apply": (P.DEVICE_IMPORT, None),
    "device_import_refused": (P.DEVICE_IMPORT, None),
    "ownership_list": (P.VIEW, C.READ),
    "ownership_take": (None, C.TAKE),
    "ownership_release": (P.DEVICE_UNCLAIM, C.TAKE),
}
TABLE |= {
    "organization_detail": (P.VIEW, None),
    "organization_edit": (P.ORGANIZATION_EDIT, None),
    "organization_logo_set": (P.ORGANIZATION_EDIT, None),
    "organization_logo_remove": (P.ORGANIZATION_EDIT, None),
    "domain_list": (P.VIEW, None),
    "domain_create": (P.ORGANIZATION_EDIT, None),
    "domain_remove": (P.ORGANIZATION_EDIT, None),
    "role_list": (P.VIEW, None),
    "search": (P.VIEW, None),
    "member_list": (P.MEMBER_MANAGE, None),
    "member_detail": (P.MEMBER_MANAGE, None),
    "member_edit": (P.MEMBER_MANAGE, None),
    "member_remove": (P.MEMBER_MANAGE, None),
    "invitation_list": (P.MEMBER_MANAGE, None),
    "invitation_create": (P.MEMBER_MANAGE, None),
    "invitation_revoke": (P.MEMBER_MANAGE, None),
    "key_detail": (ANY, ANY),
    "api_key_list": (P.API_KEY_MANAGE, None),
    "api_key_detail": (P.API_KEY_MANAGE, None),
    "api_key_revoke": (P.API_KEY_MANAGE, None),
    "project_create": (P.CUSTOMER_EDIT, None),
    "project_detail": (P.VIEW, C.READ),
    "project_edit": (P.CUSTOMER_EDIT, C.ACCESS),
    "project_member_list": (P.VIEW, C.READ),
    "project_member_end": (P.CUSTOMER_INVITE, C.ACCESS),
}
TABLE |= {
    f"{name}_{form}": (needed, None)
    for form in ("csv", "xlsx")
    for name, needed in {
        "device_export": P.EXPORT,
        "customer_export": P.EXPORT,
        "claim_profile_export": P.EXPORT,
        "claim_profile_units_export": P.CODE_VIEW,
        "event_export": P.EXPORT,
        "return_export": P.EXPORT,
        "shipment_export": P.EXPORT,
    }.items()
}
TABLE |= {
    "device_changes_list": (P.DEVICE_ASSIGN, None),
    "device_changes_create": (P.DEVICE_ASSIGN, None),
    "device_changes_detail": (P.DEVICE_ASSIGN, None),
    "device_changes_apply": (P.DEVICE_ASSIGN, None),
    "device_changes_refused": (P.DEVICE_ASSIGN, None),
    "device_secret": (P.DEVICE_EDIT, None),
    "share_list": (P.VIEW, C.READ),
    "share_end": (P.DEVICE_UNCLAIM, C.ACCESS),
    "unit_code_qr_svg": (P.CODE_VIEW, None),
    "unit_code_qr_png": (P.CODE_VIEW, None),
    "label_queue_list": (P.VIEW, None),
    "label_queue_done": (P.RETURN_RECEIVE, None),
    "return_settings_detail": (P.ORGANIZATION_EDIT, None),
    "return_settings_edit": (P.ORGANIZATION_EDIT, None),
}
# What makes a call complete, so that nothing but the key can be wrong with it.
BODIES = {
    "customer_create": {"name": "Nord"},
    "customer_edit": {"phone": "1"},
    "product_create": {"name": "Probe"},
    "product_edit": {"description": "x"},
    "device_edit": {"notes": "x"},
    "devices_assign": {"devices": ["x"]},
    "device_create": {"product": "1", "serial_number": "S-1", "device_name": "unit-000001"},
    "owner_assign": {"customer": 1},
    "devices_unclaim": {"devices": ["x"], "reason": "x"},
    "ownership_take": {"serial_number": "S-1", "device_name": "unit-000001"},
    "claim_profile_create": {"name": "Second"},
    "claim_profile_edit": {"version": 1, "name": "x"},
    "claim_profile_replace_code": {"reason": "x"},
    "claim_profile_add_units": {"devices": ["x"]},
    "device_claim_codes_replace": {"reason": "x"},
    "claim_redeem": {"code": "x"},
    "shipment_create": {"customer": 1},
    "shipment_edit": {"order_number": "x"},
    "shipment_pack": {"scans": ["x"]},
    "shipment_unpack": {"devices": ["x"]},
    "return_receive": {"devices": ["x"]},
    "return_inspect": {"returns": [1]},
    "return_request": {"device": 1, "reason": "x"},
    "device_swap": {"replacement": "x", "reason": "x"},
    "label_sheet_create": {"devices": ["x"]},
}
BODIES |= {
    "call_create": {"kind": "variable", "name": "battery"},
    "webhook_edit": {"description": "x"},
    "webhook_create": {"url": "https://example.com/hook", "events": ["device.assigned"]},
}
BODIES |= {
    "person_invite": {"email": "new@example.com"},
    "person_edit": {"role": "viewer"},
    "customer_import_create": {"csv": "name\nNord\n"},
    "customer_import_apply": {"version": 1},
    "device_import_create": {"product": "aqua-meter", "csv": "serial_number,device_name\nS-1,unit-000001\n"},
    "device_import_apply": {"version": 1},
}
BODIES |= {
    "organization_edit": {"support_note": "x"},
    "organization_logo_set": {"picture": "AAAA"},
    "domain_create": {"host": "units.example.com"},
    "member_edit": {"role": "viewer"},
    "invitation_create": {"email": "kim@example.com", "role": "viewer"},
    "project_create": {"customer": 1, "name": "North site"},
    "project_edit": {"name": "North site"},
}
BODIES |= {
    "device_changes_create": {"csv": "device_name,tags\nunit-000001,pilot\n"},
    "device_changes_apply": {"version": 1},
    "share_end": {"reason": "x"},
    "label_queue_done": {"devices": ["x"]},
    "return_settings_edit": {"note": "x"},
}
QUERIES = {"owner_unclaim": {"reason": "x"}}
QUERIES |= {"search": {"q": "x"}}


def routes(patterns=None, path=""):
    """(method, address, name) of every call."""
    if patterns is None:
        api = next(each for each in get_resolver().url_patterns if str(each.pattern) == "api/v1/")
        patterns = api.url_patterns
    for entry in patterns:
        here = path + str(entry.pattern)
        if not isinstance(entry, URLPattern):
            yield from routes(entry.url_patterns, here)
        else:
            for method, endpoint in getattr(entry.callback, "endpoints", {}).items():
                yield method, here, endpoint.run.__name__


@pytest.fixture
def world(organization, product, customer, dana, device, alice):
    """One row of each kind."""
    by = factories.actor_of(alice)
    ownership.assign([device.pk], customer=customer, by=by)
    call = calls.ask(device, kind="variable", name="battery", by=by)
    hook = webhooks.create(url="https://example.com/hooks", events=["device.assigned"], by=by)
    file = customer_imports.receive("a.csv", [b"name\nNord\n"], by=by)
    manifest = manifests.receive("a.csv", [b"serial_number,device_name\nS-1,unit-000001\n"], by=by, product=product)
    changes = roundtrips.receive("a.csv", [b"device_name,tags\nunit-000001,pilot\n"], by=by)
    ledger.share([device.pk], Act(by), customer=customer, project=projects.default_of(customer), reason="claim")
    return {
        "customer-imports": file.pk,
        "device-imports": manifest.pk,
        "person": customer.people.get().pk,
        "projects": projects.default_of(customer).pk,
        "call": call.pk,
        "webhooks": hook.pk,
        "delivery": webhooks.send_test(hook, by=by).pk,
        "products": product.pk,
        "devices": device.pk,
        "customers": customer.pk,
        "operations": operation_of(organization).pk,
        "device-ownerships": Ownership.objects.get().pk,
        **organization_world.rows(organization, by),
        "device-changes": changes.pk,
        **claims_world.rows(organization, device, customer, dana, alice),
        "share": SharedAccess.objects.get().pk,
        "member": _member_of(projects.default_of(customer)),
    }


def _member_of(project):
    return factories.let_in(project, factories.make_member(project.organization, "support")).pk


def address(path, world):
    kind = path.split("/", 1)[0]
    return "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(world[found[1] if found[1] in world else kind]), path)


def ask(caller, method, url, name):
    """Ask, and take back whatever the answer changed, so that each question meets the same world."""
    before = (Event.objects.count(), Ownership.objects.filter(ended_at=None).count())
    with transaction.atomic():
        answer = getattr(caller, method)(url, BODIES.get(name), **QUERIES.get(name, {}))
        has_traces = before != (Event.objects.count(), Ownership.objects.filter(ended_at=None).count())
        transaction.set_rollback(True)
    return answer, has_traces


def test_every_call_is_in_the_table():
    found = [name for _method, _path, name in routes()]
    assert len(found) == len(set(found))
    assert set(found) == set(TABLE)


def test_without_a_key_nothing_opens(world):
    caller = Caller(None)
    for method, path, name in routes():
        answer, has_traces = ask(caller, method, address(path, world), name)
        assert (answer.status_code, has_traces) == (401, False), name


def test_a_key_needs_the_scope_of_the_table_and_no_other(world, alice):
    every = factories.actor_of(alice).permissions
    keys = {scope: (Caller(key_of(alice, P.VIEW, scope)), Caller(key_of(alice, *(every - {scope})))) for scope in every}
    for method, path, name in routes():
        needed = TABLE[name][0]
        if needed == ANY:
            for key in (key_of(alice, P.VIEW), key_of(alice, P.EXPORT)):
                assert Caller(key).get(address(path, world)).status_code == 200
            continue
        if needed is None:
            answer, has_traces = ask(Caller(key_of(alice)), method, address(path, world), name)
            assert (answer.status_code, has_traces) == (403, False), name
            continue
        with_it, without = keys[needed]
        answer, has_traces = ask(without, method, address(path, world), name)
        assert (answer.status_code, has_traces) == (403, False), name
        answer, _has_traces = ask(with_it, method, address(path, world), name)
        assert answer.status_code in {200, 201, 202, 204, 409, 422}, (name, answer.status_code)


def test_a_customer_s_key_needs_the_scope_of_the_table(world, dana, customer):
    for method, path, name in routes():
        needed = TABLE[name][1]
        if needed == ANY:
            for scope in C:
                assert Caller(customer_key(dana, customer, scope)).get(address(path, world)).status_code == 200
            continue
        others = [scope for scope in C if scope != needed]
        answer, has_traces = ask(Caller(customer_key(dana, customer, *others)), method, address(path, world), name)
        assert (answer.status_code, has_traces) == (403, False), name
        if needed is not None:
            answer, _traces = ask(Caller(customer_key(dana, customer, needed)), method, address(path, world), name)
            assert answer.status_code in {200, 201, 202, 404, 409, 422}, (name, answer.status_code)


def test_rows_of_another_organization_and_of_another_customer_do_not_exist(world, charlie, erin, other_customer):
    for caller in (Caller(key_of(charlie)), Caller(customer_key(erin, other_customer))):
        for method, path, name in routes():
            if "<" not in path:
                continue
            answer, has_traces = ask(caller, method, address(path, world), name)
            assert (answer.status_code in {403, 404}, has_traces) == (True, False), (name, answer.status_code)
