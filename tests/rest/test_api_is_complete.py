"""The API does what the console does: each of the console's routes names its calls, or says why it has none."""

from functools import cache

import pytest
from django.urls import URLPattern, get_resolver

from console.access import Permission

A_PART = "It is a part of a page; the lists have the same filters."
# By route: the calls that do the same, or a sentence that says why there is none.
CONSOLE = {
    "console:home": "It only counts what the lists hold.",
    "console:search": "search",
    "console:activity_list": "event_list",
    "console:activity_export": "event_export_csv event_export_xlsx",
    "console:operation_list": "operation_list",
    "console:operation_detail": "operation_detail operation_results",
    "console:operation_refused": "operation_results_csv",
    "console:organization_edit": "organization_detail organization_edit",
    "console:organization_logo": "organization_logo_set organization_logo_remove",
    "console:domain_list": "domain_list domain_create",
    "console:domain_remove": "domain_remove",
    "console:role_list": "role_list",
    "console:member_list": "member_list invitation_list",
    "console:member_edit": "member_detail member_edit",
    "console:member_remove": "member_remove",
    "console:invitation_create": "invitation_create",
    "console:invitation_revoke": "invitation_revoke",
    "console:webhook_list": "webhook_list",
    "console:webhook_create": "webhook_create",
    "console:webhook_detail": "webhook_detail delivery_list",
    "console:webhook_edit": "webhook_edit",
    "console:webhook_rotate": "webhook_rotate",
    "console:webhook_enable": "webhook_enable",
    "console:webhook_disable": "webhook_disable",
    "console:webhook_kept": "webhook_kept_send webhook_kept_discard",
    "console:webhook_remove": "webhook_remove",
    "console:webhook_test": "webhook_test",
    "console:webhook_delivery": "delivery_detail",
    "console:webhook_delivery_again": "delivery_send",
    "customers:api_key_list": "api_key_list api_key_detail",
    "customers:api_key_create": "A key makes no keys: people do, decision 0007.",
    "customers:api_key_revoke": "api_key_revoke",
    "customers:api_key_show": "A key is shown once, to the person who created it, decision 0007.",
    "customers:customer_list": "customer_list",
    "customers:customer_options": A_PART,
    "customers:customer_create": "customer_create",
    "customers:customer_export": "customer_export_csv customer_export_xlsx",
    "customers:customer_detail": "customer_detail person_list project_list",
    "customers:customer_edit": "customer_edit",
    "customers:customer_archive": "customer_archive",
    "customers:customer_restore": "customer_restore",
    "customers:customer_invite": "person_invite",
    "customers:customer_user_edit": "person_edit",
    "customers:customer_user_remove": "person_remove",
    "customers:project_create": "project_create",
    "customers:project_detail": "project_detail project_member_list",
    "customers:project_member_end": "project_member_end",
    "customers:project_edit": "project_detail project_edit",
    "customers:customer_import": "customer_import_list customer_import_create",
    "customers:customer_import_detail": "customer_import_detail",
    "customers:customer_import_columns": "Who calls writes the header that is understood.",
    "customers:customer_import_apply": "customer_import_apply",
    "customers:customer_import_refused": "customer_import_refused",
    "devices:product_list": "product_list",
    "devices:product_create": "product_create",
    "devices:product_detail": "product_detail",
    "devices:product_edit": "product_edit",
    "devices:product_archive": "product_archive",
    "devices:product_restore": "product_restore",
    "devices:device_list": "device_list",
    "devices:device_create": "device_create",
    "devices:device_export": "device_export_csv device_export_xlsx",
    "devices:device_detail": "device_detail ownership_list share_list",
    "devices:device_edit": "device_edit",
    "devices:device_archive": "device_archive",
    "devices:device_restore": "device_restore",
    "devices:device_assign": "devices_assign owner_assign",
    "devices:device_assign_undo": "operation_undo",
    "devices:device_unclaim": "devices_unclaim owner_unclaim ownership_release",
    "devices:device_unclaim_undo": "operation_undo",
    "devices:device_secret": "device_secret",
    "devices:device_access_end": "share_end",
    "devices:message_list": "message_list",
    "devices:message_export": "message_export_csv",
    "devices:call_create": "call_create",
    "devices:call_detail": "call_detail call_list",
    "devices:manifest_create": "device_import_list device_import_create",
    "devices:manifest_detail": "device_import_detail",
    "devices:manifest_columns": "Who calls writes the header that is understood.",
    "devices:manifest_apply": "device_import_apply",
    "devices:manifest_refused": "device_import_refused",
    "devices:device_changes_create": "device_changes_list device_changes_create",
    "devices:device_changes_detail": "device_changes_detail",
    "devices:device_changes_columns": "Who calls writes the header that is understood.",
    "devices:device_changes_apply": "device_changes_apply",
    "devices:device_changes_refused": "device_changes_refused",
    "claims:claim_profile_list": "claim_profile_list",
    "claims:claim_profile_create": "claim_profile_create",
    "claims:claim_profile_export": "claim_profile_export_csv claim_profile_export_xlsx",
    "claims:claim_profile_add_units": "claim_profile_add_units",
    "claims:claim_profile_detail": "claim_profile_detail",
    "claims:claim_profile_edit": "claim_profile_edit",
    "claims:claim_profile_enable": "claim_profile_enable",
    "claims:claim_profile_disable": "claim_profile_disable",
    "claims:claim_profile_claims": "claim_profile_claims",
    "claims:claim_profile_units": "claim_profile_units",
    "claims:claim_profile_units_export": "claim_profile_units_export_csv claim_profile_units_export_xlsx",
    "claims:claim_profile_replace_code": "claim_profile_replace_code",
    "claims:claim_profile_qr": "claim_profile_qr_svg claim_profile_qr_png claim_profile_code",
    "claims:unit_code_qr": "unit_code_qr_svg unit_code_qr_png device_claim_codes",
    "claims:unit_code_replace": "device_claim_codes_replace",
    "claims:return_list": "return_list",
    "claims:return_workbench": "It gathers scans; nothing is changed until they are received.",
    "claims:return_receive": "return_receive",
    "claims:return_receive_undo": "operation_undo",
    "claims:return_export": "return_export_csv return_export_xlsx",
    "claims:return_inspect": "return_inspect",
    "claims:return_inspect_undo": "operation_undo",
    "claims:return_label_queue": "label_queue_list",
    "claims:return_label_done": "label_queue_done",
    "claims:return_detail": "return_detail",
    "claims:return_cancel": "return_cancel",
    "claims:return_settings": "return_settings_detail return_settings_edit",
    "claims:device_swap": "device_swap",
    "claims:shipment_list": "shipment_list",
    "claims:shipment_create": "shipment_create",
    "claims:shipment_detail": "shipment_detail shipment_units shipment_balance",
    "claims:shipment_edit": "shipment_edit",
    "claims:shipment_pack": "shipment_pack",
    "claims:shipment_unpack": "shipment_unpack",
    "claims:shipment_ship": "shipment_ship shipment_send",
    "claims:shipment_cancel": "shipment_cancel",
    "claims:shipment_reopen": "shipment_reopen",
    "claims:shipment_packing_list": "shipment_packing_list",
    "claims:shipment_export": "shipment_export_csv shipment_export_xlsx",
    "claims:label_sheet_list": "label_sheet_list",
    "claims:label_sheet_create": "label_sheet_create",
    "claims:label_sheet_detail": "label_sheet_detail",
    "claims:label_sheet_download": "label_sheet_file",
}
# Where a call needs another scope than its page.
DIFFERENT = {
    "operation_undo": "It asks for what doing it needed, which each operation says by itself.",
    "domain_list": "To read is less than to set up.",
    "organization_detail": "To read is less than to set up.",
    "project_detail": "To read is less than to rename.",
}


def routes(patterns=None, space=""):
    """(name, view) of every named route."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLPattern):
            yield f"{space}:{entry.name}", entry.callback
        else:
            yield from routes(entry.url_patterns, entry.namespace or space)


@cache
def pages():
    """By name, the permission that each page of the console needs."""
    return {name: view.policy for name, view in routes() if isinstance(getattr(view, "policy", None), Permission)}


@cache
def calls():
    """By name, the endpoint of each call of the API."""
    return {
        endpoint.run.__name__: endpoint
        for _name, view in routes()
        for endpoint in getattr(view, "endpoints", {}).values()
    }


def named(said):
    """The calls that an entry of the table names; none where it is a sentence."""
    return () if said.endswith(".") else said.split()


def unnamed(found, table):
    return set(found) ^ set(table)


def unknown(table):
    return {call for said in table.values() for call in named(said)} - set(calls())


def test_every_page_of_the_console_is_in_the_table():
    assert unnamed(pages(), CONSOLE) == set()


def test_every_call_that_is_named_exists():
    assert unknown(CONSOLE) == set()


def test_a_page_that_is_forgotten_and_a_call_that_is_none_are_found():
    # The controls of the two above.
    assert unnamed({**pages(), "devices:group_list": Permission.VIEW}, CONSOLE) == {"devices:group_list"}
    assert unknown({**CONSOLE, "devices:group_list": "group_list"}) == {"group_list"}


@pytest.mark.parametrize("page", sorted(name for name, said in CONSOLE.items() if named(said)))
def test_a_call_needs_what_its_page_needs(page):
    for call in named(CONSOLE[page]):
        if call not in DIFFERENT:
            assert calls()[call].may == pages()[page], call
