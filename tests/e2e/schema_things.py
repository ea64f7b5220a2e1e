"""Makes things for the calls of schemathesis, over the API itself: fresh ones for verbs that use a thing up."""

import os
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any

import requests

URL = f"{os.environ['CUSTODY_API_URL']}/api/v1"
IS_CUSTOMER = os.environ["CUSTODY_API_KIND"] == "customer"
# Keys beside the one that is tested, which never answer for it.
STAFF, BUYER = os.environ["CUSTODY_API_STAFF_KEY"], os.environ["CUSTODY_API_BUYER_KEY"]
CUSTOMER, PRODUCT, PROFILE, UNITS = 1, "aqua-meter", "aqua-meter", "units"
FIRST = {1, "1", PRODUCT}
_numbers, _session = count(1), requests.Session()
_spare: dict[str, dict[str, Any]] = {}


def ask(method: str, path: str, body: Any = None, *, key: str = STAFF, **query: Any) -> Any:
    """The answer to a call that must go well."""
    answer = _session.request(
        method, URL + path, json=body, params=query, headers={"Authorization": f"Bearer {key}"}, timeout=120
    )
    assert answer.ok, (method, path, body, answer.text)
    return answer.json() if answer.content else None


def number() -> int:
    """Another one each time."""
    return next(_numbers)


def unit(*, owned: bool = False) -> dict[str, Any]:
    """A new device, in stock or the customer's."""
    n = number()
    names = {"serial_number": f"FZ-{n:06d}", "device_name": f"fuzz{n:08d}"}
    device = ask("POST", "/devices", {"product": PRODUCT, **names})
    return ask("PUT", f"/devices/{device['id']}/owner", {"customer": CUSTOMER}) if owned else device


def reason() -> str:
    """One of those for which units come back now, for customers too."""
    return ask("GET", "/returns/choices", key=BUYER)["reasons"][0]


def ownership() -> dict[str, Any]:
    """A span that goes on."""
    return ask("GET", "/device-ownerships", device=unit(owned=True)["id"])["results"][0]


def requested() -> dict[str, Any]:
    """A return that the customer asked for."""
    return ask("POST", "/returns/request", {"device": unit(owned=True)["id"], "reason": reason()}, key=BUYER)


def receiving() -> dict[str, Any]:
    """The operation that received a unit."""
    device = unit(owned=True)
    body = {"devices": [device["serial_number"]], "reason": reason()}
    return ask("POST", "/returns/receive", body) | {"of": device}


def received() -> dict[str, Any]:
    """A return in quarantine."""
    serial = receiving()["of"]["serial_number"]
    return ask("GET", "/returns", q=serial)["results"][0]


def shipment(*, packed: bool = False, by_code: bool = False) -> dict[str, Any]:
    """An open one."""
    made = ask("POST", "/shipments", {"customer": CUSTOMER, "is_claimed_by_code": by_code})
    if packed:
        made["serial"] = unit()["serial_number"]
        ask("POST", f"/shipments/{made['id']}/pack", {"scans": [made["serial"]]})
    return made


def profile(**terms: Any) -> dict[str, Any]:
    """A claim profile."""
    return ask("POST", "/claim-profiles", {"name": f"Profile {number()}", **terms})


def share() -> dict[str, Any]:
    """Shared access that goes on, and its device."""
    device = unit()
    made = profile(grant="access", devices=[device["serial_number"]])
    code = ask("GET", f"/claim-profiles/{made['id']}/code")["typed_code"]
    ask("POST", "/claims/redeem", {"code": code}, key=BUYER)
    return {"id": device["id"], "share": ask("GET", f"/devices/{device['id']}/shares")["results"][0]["id"]}


def own_share() -> dict[str, Any]:
    """A device of the customer that an account of the organization sees too."""
    account = ask("POST", "/customers", {"name": f"Account {number()}", "kind": "internal"})
    project = ask("GET", "/projects", customer=account["id"])["results"][0]["id"]
    device = unit()
    redeemed(devices=[device["serial_number"]], additional_project=project)
    return {"id": device["id"], "share": ask("GET", f"/devices/{device['id']}/shares")["results"][0]["id"]}


def redeemed(**terms: Any) -> dict[str, Any]:
    """A claim of a profile of its own, by the customer."""
    code = ask("GET", f"/claim-profiles/{profile(**terms)['id']}/code")["typed_code"]
    return ask("POST", "/claims/redeem", {"code": code}, key=BUYER)


def project_member() -> dict[str, Any]:
    """A member of the organization who sees a project of the customer; the world has enough of them."""
    known = ask("GET", "/members", limit=100)["results"]
    email = known[-1 - number() % (len(known) - 3)]["email"]
    redeemed(devices=[unit()["serial_number"]], members=[{"email": email, "role": "viewer"}])
    for project in ask("GET", "/projects", customer=CUSTOMER, limit=200)["results"]:
        for row in ask("GET", f"/projects/{project['id']}/members")["results"]:
            if row["ended_at"] is None:
                return {"id": project["id"], "member": row["id"]}
    raise AssertionError("The claim let nobody in.")


def archived(path: str) -> dict[str, Any]:
    """What the address leads to, archived."""
    ask("POST", f"{path}/archive")
    return {"id": int(path.rsplit("/", 1)[1])}


def archived_unit() -> dict[str, Any]:
    """A device that was archived."""
    device = unit()
    ask("DELETE", f"/devices/{device['id']}")
    return device


def customer() -> dict[str, Any]:
    """Another customer, without devices."""
    return ask("POST", "/customers", {"name": f"Customer {number()}"})


def product() -> dict[str, Any]:
    """Another product."""
    made = ask("POST", "/products", {"name": f"Product {number()}"})
    return made | {"key": made["slug"]}


def archived_product() -> dict[str, Any]:
    """An archived product."""
    made = product()
    ask("POST", f"/products/{made['key']}/archive")
    return made


def person() -> dict[str, Any]:
    """A person of the customer."""
    made = ask("POST", f"/customers/{CUSTOMER}/people", {"email": f"person-{number()}@example.com"})
    return {"id": CUSTOMER, "person": made["id"]}


def member() -> dict[str, Any]:
    """A member who makes no calls; the world has enough of them."""
    return ask("GET", "/members", limit=1)["results"][0]


def stranded() -> dict[str, Any]:
    """A shipment whose shipping was given up; the world has enough of them."""
    return ask("GET", "/shipments", state="shipping", limit=1)["results"][0]


def file(path: str, csv: str, **body: Any) -> dict[str, Any]:
    """A file that was checked and is not applied."""
    return ask("POST", f"/{path}?dry_run=true", {"csv": csv.format(n=f"{number():08d}"), **body})


def changes() -> dict[str, Any]:
    """Checked changes of a device."""
    return file("device-changes", f"device_name,notes\n{unit()['device_name']},Note {{n}}\n")


def unit_profile() -> dict[str, Any]:
    """A claim profile of units that are chosen one by one."""
    return keyed(profile(scope="unit"))


def units() -> dict[str, Any]:
    """The claim profile that gives units by their own labels."""
    return {"key": UNITS}


def keyed(made: dict[str, Any]) -> dict[str, Any]:
    """Products and claim profiles are named by their id or slug."""
    return made | {"key": str(made["id"])}


THINGS: dict[str, Callable[[], dict[str, Any]]] = {
    "claim_profile_add_units": unit_profile,
    "claim_profile_edit": lambda: keyed(profile()),
    "customer_archive": customer,
    "customer_restore": lambda: archived(f"/customers/{customer()['id']}"),
    "customer_edit": customer,
    "customer_import_apply": lambda: file("customer-imports", "name\nFile {n}\n"),
    "customer_import_detail": lambda: file("customer-imports", "name\nFile {n}\n"),
    "claim_profile_units_export_csv": units,
    "claim_profile_units_export_xlsx": units,
    "customer_import_refused": lambda: file("customer-imports", "name,kind\nFile {n},moon\n"),
    "device_import_apply": lambda: file(
        "device-imports", "serial_number,device_name\nFI-{n},file{n}\n", product=PRODUCT
    ),
    "device_import_refused": lambda: file("device-imports", "serial_number,device_name\nFI-{n},\n", product=PRODUCT),
    "device_changes_apply": changes,
    "device_changes_detail": changes,
    "device_changes_refused": lambda: file("device-changes", "device_name,notes\nnobody{n},x\n"),
    "device_archive": unit,
    "device_restore": archived_unit,
    "device_edit": unit,
    "owner_assign": unit,
    "owner_unclaim": lambda: unit(owned=True),
    "device_swap": lambda: unit(owned=True),
    "share_end": own_share if IS_CUSTOMER else share,
    "project_member_end": project_member,
    "domain_remove": lambda: ask("POST", "/domains", {"host": f"h{number()}.example.com"}),
    "invitation_revoke": lambda: ask("POST", "/invitations", {"email": f"i{number()}@example.com", "role": "viewer"}),
    "member_edit": member,
    "member_remove": member,
    "member_detail": member,
    "person_edit": person,
    "person_remove": person,
    "operation_undo": receiving,
    "ownership_release": ownership,
    "product_archive": product,
    "product_edit": product,
    "product_restore": archived_product,
    "project_edit": lambda: ask("POST", "/projects", {"customer": CUSTOMER, "name": f"Site {number()}"}),
    "return_cancel": requested,
    "shipment_cancel": shipment,
    "shipment_edit": shipment,
    "shipment_ship": lambda: shipment(packed=True),
    "shipment_send": lambda: shipment(packed=True, by_code=True),
    "shipment_reopen": stranded,
    "shipment_pack": shipment,
    "shipment_unpack": lambda: shipment(packed=True),
    "webhook_remove": lambda: ask("POST", "/webhooks", {"url": "https://example.com/h", "events": ["device.assigned"]}),
}


def of(name: str, *, is_used: bool) -> dict[str, Any]:
    """The thing of a call, by the names of its address: the first of its kind, or one of its own for what uses it up.

    Calls that are refused use nothing up: they share a spare one until one of them is not refused.
    """
    key = PRODUCT if name.startswith("product") else PROFILE
    usual = {"id": 1, "key": key, "call": 1, "delivery": 1, "person": 1, "share": 1, "member": 1}
    if name not in THINGS:
        return usual
    if is_used:
        return usual | THINGS[name]()
    if name not in _spare:
        _spare[name] = THINGS[name]()
    return usual | _spare[name]


def was_answered(name: str, *, is_refused: bool) -> None:
    """The spare thing is used up, where a call was not refused."""
    if not is_refused:
        _spare.pop(name, None)


@cache
def own_keys() -> frozenset[int]:
    """The keys that the calls are made with."""
    keys = (STAFF, BUYER, os.environ["CUSTODY_API_KEY"])
    return frozenset(ask("GET", "/key", key=each)["id"] for each in keys)


def keep(name: str, path: dict[str, Any]) -> None:
    """A scenario uses up neither the keys that it goes on with nor the first row of a kind, which others need."""
    if name == "api_key_revoke" and path.get("id") in own_keys():
        path["id"] = 1
    last = path.get("person") or path.get("id") or path.get("key")
    if name in THINGS and last in FIRST:
        thing = THINGS[name]()
        path.update({key: thing[key] for key in path if key in thing})
