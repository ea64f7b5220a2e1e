"""The API against its own document: every check of schemathesis, stateful too, with a key of each kind.

No call may fail, none may be warned of, and each must have been answered at least once as it is meant to be: a run that
was refused everywhere would prove nothing. CUSTODY_API_EXAMPLES makes it look longer, and
CUSTODY_API_PHASES=examples,coverage,fuzzing,stateful at every edge of every field, which takes some minutes; the usual
ones are what a build has time for.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.servers.basehttp import WSGIRequestHandler

from claims.models import LabelSheet, Shipment, ShipmentState
from claims.shipments.actions import shipments
from console import operations, throttle
from console.rest import limits
from console.webhooks import actions as webhooks
from devices.actions import devices, ownership
from devices.api import ownerships
from devices.calls import actions as calls
from devices.models import Device, Ownership
from tests import factories
from tests.access_world import operation_of
from tests.api import customer_key, key_of
from tests.rest import claims_world, organization_world
from tests.rest.test_api_access import TABLE, routes

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True, reset_sequences=True)]
CONFIG = Path(__file__).parent / "schemathesis.toml"
EXAMPLES = os.environ.get("CUSTODY_API_EXAMPLES", "3")
PHASES = os.environ.get("CUSTODY_API_PHASES", "examples,fuzzing,stateful")
# The same for each build, which must not fail by chance; by hand, another one each time.
SEED = os.environ.get("CUSTODY_API_SEED", "2611")
# So many kinds of answers a scenario went on with, at least.
LINKS = {"organization": 3, "customer": 3}
# What no call makes, and calls use up.
SPARE = 30


@pytest.fixture
def world(organization, product, customer, other_customer, dana, alice, make_devices, settings, monkeypatch):
    """Two rows of each kind, with the ids 1 and 2; limits that so many calls would meet have tests of their own."""
    settings.API_CALLS_A_MINUTE = 1_000_000
    monkeypatch.setattr(throttle, "spend", lambda *args, **kwargs: None)
    monkeypatch.setattr(webhooks, "MOST", 1_000_000)
    limits.forget()
    # Head and body of an answer are two packets: else the second waits 40 ms for the caller to have noted the first.
    monkeypatch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)
    make_devices(2)
    factories.make_device(product, ownerships.EXAMPLE["serial_number"], device_name=ownerships.EXAMPLE["device_name"])
    type(product).objects.filter(pk=product.pk).update(customers_may_take=True)
    by = factories.actor_of(alice)
    # Releasing the first ownership leaves the first device as it is.
    for device in (2, 1):
        ownership.assign([device], customer=customer, by=by)
    devices.set_tags([1], ["lot-7"], by=by)
    operation_of(organization), operation_of(organization)
    assert set(Ownership.objects.values_list("pk", flat=True)) == {1, 2}
    first = Device.objects.get(pk=1)
    claims_world.rows(organization, first, customer, dana, alice, slug="aqua-meter")
    # The first key and the second member are not those of the calls: one may be revoked, the other removed.
    organization_world.rows(organization, by)
    calls.ask(first, kind="variable", name="battery", timeout=300, by=by)
    webhooks.send_test(webhooks.create(url="https://example.com/hooks", events=["device.assigned"], by=by), by=by)
    operations.run(LabelSheet.objects.get().operation_id)
    for _each in range(SPARE):
        factories.make_member(organization, "viewer")
        shipments.create(customer=customer, lines={}, by=by)
    Shipment.objects.filter(pk__gt=1).update(state=ShipmentState.SHIPPING)


@pytest.mark.parametrize("kind", ["organization", "customer"])
def test_the_api_keeps_to_its_document(kind, world, live_server, alice, dana, customer, tmp_path):
    makers = {"organization": lambda: key_of(alice), "customer": lambda: customer_key(dana, customer)}
    # With the first the calls are made; with the others the hooks make what the calls need.
    keys = [makers[kind](), makers["organization"](), makers["customer"]()]
    place, seen = 0 if kind == "organization" else 1, tmp_path / "seen.json"
    closed = [name for _method, _path, name in routes() if TABLE[name][place] is None]
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(CONFIG),
        "run",
        f"{live_server.url}/api/v1/openapi.json",
        "--header",
        f"Authorization: Bearer {keys[0]}",
        "--checks",
        "all",
        "--max-examples",
        EXAMPLES,
        "--phases",
        PHASES,
        "--seed",
        SEED,
        *(word for name in closed for word in ("--exclude-operation-id", name)),
    ]
    names = ("CUSTODY_API_KEY", "CUSTODY_API_STAFF_KEY", "CUSTODY_API_BUYER_KEY")
    environment = (
        os.environ
        | dict(zip(names, keys, strict=True))
        | {"CUSTODY_API_URL": live_server.url, "CUSTODY_API_KIND": kind, "CUSTODY_API_SEEN": str(seen)}
    )
    run = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False, env=environment)
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert f"Tested: {len(TABLE) - len(closed)}" in run.stdout
    # An error of a hook in a scenario is counted, but does not fail the run.
    assert re.findall("Warnings:| errored", run.stdout) == []
    answers = [line.split() for line in json.loads(seen.read_text())]
    done = {name for name, mode, status in answers if mode == "positive" and status.startswith("2")}
    assert set(TABLE) - set(closed) - done == set()
    links = re.search(r"API Links: +(\d+) covered", run.stdout)
    assert "stateful" not in PHASES or int(links[1]) >= LINKS[kind]
