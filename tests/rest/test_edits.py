"""PATCH writes what it names and nothing else: every pair of fields of every PATCH, by two who both read before either
writes. The calls and their fields come from the OpenAPI document, so a new one without values here fails.
"""

from functools import partial
from itertools import combinations
from typing import Any

import pytest
from django.db import transaction

from claims.shipments.actions import shipments
from console import edits
from console.audit import changes
from console.models import Member
from console.rest.forms import checked
from console.rest.schema import built
from console.webhooks import actions as webhooks
from customers.projects.actions import projects
from tests import factories, processes
from tests.api import Caller, key_of
from tests.claims import worlds
from tests.extent import extent
from tests.rest.test_api_is_complete import calls

pytestmark = pytest.mark.django_db

# By call: for each field two values. Of those that depend on each other, such that any two fit.
TWO = "two@northlake.example"
VALUES: dict[str, dict[str, tuple[Any, Any]]] = {
    "customer_edit": {
        "kind": ("company", "person"),
        "name": ("North", "South"),
        "reference": ("C-1", "C-2"),
        "email": ("a@north.example", "b@north.example"),
        "phone": ("1", "2"),
        "address": ("Dock 1", "Dock 2"),
        "notes": ("Calm", "Loud"),
        "may_take": (True, False),
    },
    "project_edit": {"name": ("East", "West")},
    "person_edit": {"role": ("viewer", "operator")},
    "member_edit": {"role": ("viewer", "support")},
    "organization_edit": {
        "name": ("Northlake", "Northlake Water"),
        "time_zone": ("UTC", "Europe/Berlin"),
        "requires_second_factor": (False, True),
        "brand_name": ("Lake", "River"),
        "support_email": ("a@north.example", "b@north.example"),
        "support_phone": ("1", "2"),
        "support_note": ("9-5", "8-4"),
        "imprint_url": ("https://a.example/imprint", "https://b.example/imprint"),
        "privacy_url": ("https://a.example/privacy", "https://b.example/privacy"),
    },
    "webhook_edit": {
        "url": ("https://a.example/", "https://b.example/"),
        "description": ("ERP", "CRM"),
        "events": (["message"], ["device.assigned", "message"]),
        "message_names": (["level"], ["alarm"]),
    },
    "product_edit": {
        "name": ("Probe", "Meter"),
        "slug": ("probe", "meter"),
        "platform": ("A1", "B2"),
        "description": ("Wet", "Dry"),
        "ownership_mode": ("customer", "unowned"),
        "single_account": (None, None),
        "unowned_may_subscribe": (True, False),
        "customers_may_take": (True, False),
    },
    "device_edit": {
        "product": ("aqua-meter", "aqua-meter"),
        "serial_number": ("S-1", "S-2"),
        "device_name": ("unit-000001", "unit-000002"),
        "imei": ("490154203237518", "356938035643809"),
        "iccid": ("8949000000000000018", ""),
        "mac": ("00:1A:2B:3C:4D:5E", "00:1A:2B:3C:4D:5F"),
        "hardware_revision": ("A1", "B2"),
        "manufactured_on": ("2026-01-01", None),
        "is_development": (True, False),
        "tags": (["a"], ["b", "c"]),
        "notes": ("Shelf 1", "Shelf 2"),
    },
    "claim_profile_edit": {
        "name": ("Pilot", "Trial"),
        "slug": ("pilot", "trial"),
        "description": ("Old", "New"),
        "scope": ("link", "link"),
        "grant": ("access", "ownership"),
        "product": (None, None),
        "is_enabled": (True, False),
        "max_claims": (5, None),
        "valid_from": ("2026-01-01T00:00:00.000000Z", None),
        "valid_until": ("2030-01-01T00:00:00.000000Z", None),
        "domain": (None, None),
        "additional_project": (None, None),
        "devices": (["unit-000009"], []),
        "documents": ([{"title": "Manual", "link": "https://a.example/m"}], []),
        "members": ([{"email": TWO, "role": "viewer"}], []),
        "questions": ([{"name": "site", "label": "Site", "required": False}], []),
    },
    "shipment_edit": {
        "customer": ("one", "two"),
        "order_number": ("PO-1", "PO-2"),
        "ship_to": ("Dock 1", "Dock 2"),
        "tells_customer": (True, False),
        "is_claimed_by_code": (True, False),
        "lines": ([{"product": "aqua-meter", "expected": 2}], [{"product": "aqua-meter", "expected": 3}]),
    },
    "return_settings_edit": {
        "address": ("Dock 1", "Dock 2"),
        "note": ("Pack it", "Wrap it"),
        "reasons": (["Broken", "Wet"], ["Wet", "Broken"]),
        "checks": (["Case", "Power"], ["Power", "Case"]),
    },
}
# What a body may hold besides fields.
CONDITIONS = {"version"}


def patches() -> dict[str, set[str]]:
    """By the name of each PATCH of the document, the fields that it takes."""
    document = built()
    found = {}
    for methods in document["paths"].values():
        if "patch" in methods:
            body = methods["patch"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            shape = document["components"]["schemas"][body.rsplit("/", 1)[-1]]
            found[methods["patch"]["operationId"]] = set(shape["properties"]) - CONDITIONS
    return found


def told(field: str, value: Any) -> Any:
    """A field of an answer as a body would say it."""
    if field in {"product", "additional_project", "single_account"} and value:
        return value["slug"] if field == "product" else value["id"]
    if field == "customer":
        return value["id"]
    if field == "devices":
        return [each["device_name"] for each in value]
    if field == "lines":
        return [{"product": each["product"]["slug"], "expected": each["expected"]} for each in value]
    if field in {"reasons", "checks"}:
        return [each["text"] for each in value]
    if field == "members":
        return [{"email": each["email"], "role": each["role"]} for each in value]
    return value


class World:
    """One row for each PATCH, and how to call it."""

    def __init__(self, organization: Any, product: Any, customer: Any, other: Any, dana: Any, alice: Any) -> None:
        by = factories.actor_of(alice)
        two = factories.make_member(organization, "viewer", TWO, "Two")
        device = factories.make_device(product)
        factories.make_device(product, device_name="unit-000009")
        hook = webhooks.create(url="https://a.example/", events=["message"], by=by)
        profile = worlds.make_link_profile(organization)
        self.customers = {"one": customer.pk, "two": other.pk}
        self.paths = {
            "customer_edit": f"/customers/{customer.pk}",
            "device_edit": f"/devices/{device.pk}",
            "project_edit": f"/projects/{projects.default_of(customer).pk}",
            "product_edit": f"/products/{product.pk}",
            "person_edit": f"/customers/{customer.pk}/people/{customer.people.get().pk}",
            "member_edit": f"/members/{Member.objects.get(user=two).pk}",
            "organization_edit": "/organization",
            "webhook_edit": f"/webhooks/{hook.pk}",
            "claim_profile_edit": f"/claim-profiles/{profile.pk}",
            "shipment_edit": f"/shipments/{shipments.create(customer=customer, lines={}, by=by).pk}",
            "return_settings_edit": "/return-settings",
        }
        self.product, self.caller = product, Caller(key_of(alice))

    def patch(self, call: str, body: dict[str, Any]) -> Any:
        return self.caller.patch(self.paths[call], body)

    def now(self, call: str) -> dict[str, Any]:
        """Each field as a body would say it."""
        said = self.caller.get(self.paths[call]).json()
        return {field: told(field, said[field]) for field in VALUES[call]}

    def other(self, call: str, field: str, now: dict[str, Any]) -> Any:
        """The one of the two values that is not there now."""
        first, second = (self.meant(field, value) for value in VALUES[call][field])
        return second if now[field] == first else first

    def meant(self, field: str, value: Any) -> Any:
        return self.customers[value] if field == "customer" else value

    def sent(self, call: str, field: str, value: Any) -> Any:
        """A value as the body has it: rows that are there are named by their ids."""
        if call == "return_settings_edit" and field in {"reasons", "checks"}:
            there = self.caller.get(self.paths[call]).json()[field]
            ids = {each["text"]: each["id"] for each in there}
            return [{"id": ids[text], "text": text} if ids.get(text) else {"text": text} for text in value]
        return value


@pytest.fixture
def world(organization, product, customer, other_customer, dana, alice, settings):
    settings.API_CALLS_A_MINUTE = 1_000_000
    world = World(organization, product, customer, other_customer, dana, alice)
    # From here on the lists of reasons and points hold what the values name, and no more.
    rows = {
        name: [{"text": text} for text in first]
        for name, (first, _second) in VALUES["return_settings_edit"].items()
        if name in {"reasons", "checks"}
    }
    assert world.patch("return_settings_edit", rows).status_code == 200
    return world


def meanwhile(monkeypatch: Any, call: str, act: Any) -> list[bool]:
    """Do `act` once, when this call has read and checked and is about to write. The list tells that it happened."""
    endpoint, enter, fired = calls()[call], transaction.Atomic.__enter__, []
    run, running = endpoint.run, [False]

    def runs(*args: Any, **kwargs: Any) -> Any:
        running[0] = True
        return run(*args, **kwargs)

    def begins(self: Any) -> Any:
        if running[0] and not fired:
            fired.append(True)
            act()
        return enter(self)

    monkeypatch.setattr(endpoint, "run", runs)
    monkeypatch.setattr(transaction.Atomic, "__enter__", begins)
    return fired


def lost(world: World, call: str, *, enough: int = 1_000) -> list[tuple[str, str]]:
    """The pairs of fields of which one is not there, though both were answered with 200; `enough` of them do."""
    found, now = [], world.now(call)
    fields = sorted(VALUES[call])
    # By default each field is one of a pair, in a ring.
    for one, two in extent(list(zip(fields, [*fields[1:], fields[0]], strict=True)), list(combinations(fields, 2))):
        before, answers = now, []
        values = {field: world.other(call, field, before) for field in (one, two)}
        first, second = ({field: world.sent(call, field, values[field])} for field in (one, two))
        with pytest.MonkeyPatch.context() as patch:
            fired = meanwhile(patch, call, partial(_answer, world, call, second, answers))
            answers.append(world.patch(call, first))
        assert fired, (call, one)
        assert {answer.status_code for answer in answers} == {200}, (one, two, [a.json() for a in answers])
        now = world.now(call)
        if now != before | values:
            found.append((one, two))
        if len(found) == enough:
            break
    return found


def _answer(world: World, call: str, body: dict[str, Any], answers: list[Any]) -> None:
    answers.append(world.patch(call, body))


def test_every_patch_and_each_of_its_fields_has_values_here():
    assert {call: set(fields) for call, fields in VALUES.items()} == patches()


@pytest.mark.parametrize("call", sorted(name for name, fields in VALUES.items() if len(fields) > 1))
def test_of_two_who_name_different_fields_at_once_both_are_written(world, call):
    assert lost(world, call) == []


def write_everything(row: Any, fields: dict[str, Any], *, keys: Any = None) -> dict[str, list]:
    """What `edits.write` must not be: the row as it was read, with what is asked for."""
    changed = changes({name: getattr(row, name) for name in fields}, fields)
    for name, value in fields.items():
        setattr(row, name, value)
    if keys:
        row.set_keys()
    row.save()
    return changed


@pytest.mark.parametrize("call", ["customer_edit", "organization_edit", "device_edit", "shipment_edit"])
def test_written_as_a_whole_row_one_of_the_two_is_lost(world, call, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(edits, "write", write_everything)
    assert len(lost(world, call, enough=2)) == 2


def test_an_account_and_the_mode_that_forbids_it_don_t_meet(world, organization, monkeypatch):
    """They depend on each other: the second of two at once is told, and the product is one or the other."""
    accounts = [factories.make_customer(organization, name, kind="internal").pk for name in ("Lab", "Workshop")]
    body = {"ownership_mode": "single_account", "single_account": accounts[0]}
    assert world.patch("product_edit", body).status_code == 200
    meanwhile(monkeypatch, "product_edit", lambda: world.patch("product_edit", {"ownership_mode": "unowned"}))
    answer = world.patch("product_edit", {"single_account": accounts[1]})
    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")
    assert {name: world.now("product_edit")[name] for name in body} == {
        "ownership_mode": "unowned",
        "single_account": None,
    }


def test_a_version_that_is_sent_still_refuses_the_second(world):
    assert world.patch("claim_profile_edit", {"version": 1, "name": "Mine"}).status_code == 200
    stale = world.patch("claim_profile_edit", {"version": 1, "description": "Late"})
    assert (stale.status_code, stale.json()["code"]) == (409, "edited_meanwhile")
    assert world.now("claim_profile_edit")["description"] == ""


def rounds_lost(caller: Caller, path: str, one: str, two: str, rounds: int) -> int:
    """In how many rounds one of two values is missing, of two processes that each write one."""
    missing = 0
    for number in range(rounds):
        bodies = [{one: f"{number}-a"}, {two: f"{number}-b"}]
        answers = processes.run(
            2, lambda n, bodies=bodies: bodies[n], lambda body: caller.patch(path, body).status_code
        )
        assert answers == [200, 200]
        said = caller.get(path).json()
        missing += (said[one], said[two]) != (f"{number}-a", f"{number}-b")
    return missing


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_two_processes_that_edit_one_shipment_or_device_lose_nothing(alice, customer, device):
    caller = Caller(key_of(alice))
    shipment = shipments.create(customer=customer, lines={}, by=factories.actor_of(alice))
    assert rounds_lost(caller, f"/shipments/{shipment.pk}", "order_number", "ship_to", extent(3, 12)) == 0
    assert rounds_lost(caller, f"/devices/{device.pk}", "notes", "hardware_revision", extent(3, 12)) == 0


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_two_processes_that_write_whole_rows_lose_something(alice, device, monkeypatch):
    """The negative control."""
    meet = processes.meeting(2)

    def checked_slowly(*args: Any, **kwargs: Any) -> Any:
        form = checked(*args, **kwargs)
        meet()
        return form

    monkeypatch.setattr(edits, "write", write_everything)
    monkeypatch.setattr("devices.api.devices.checked", checked_slowly)
    assert rounds_lost(Caller(key_of(alice)), f"/devices/{device.pk}", "notes", "hardware_revision", 1) == 1
