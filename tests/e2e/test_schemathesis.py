"""The API against its own document: every check of schemathesis, stateful too, with a key of each kind.

CUSTODY_API_EXAMPLES makes it look longer, and CUSTODY_API_PHASES=examples,coverage,fuzzing,stateful at every edge of every
field, which takes some minutes; the usual ones are what a build has time for.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.access import CustomerScope
from console.actions import webhooks
from console.rest import limits
from customers.actions import api_keys
from devices.actions import calls, ownership
from devices.api import ownerships
from devices.models import Device, Ownership
from tests import factories
from tests.access_world import operation_of
from tests.rest import claims_world
from tests.rest.test_api_access import TABLE, routes

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True, reset_sequences=True)]
CONFIG = Path(__file__).parent / "schemathesis.toml"
EXAMPLES = os.environ.get("CUSTODY_API_EXAMPLES", "3")
PHASES = os.environ.get("CUSTODY_API_PHASES", "examples,fuzzing,stateful")


@pytest.fixture
def world(organization, product, customer, other_customer, dana, alice, make_devices, settings):
    """Two rows of each kind, with the ids 1 and 2."""
    settings.API_CALLS_A_MINUTE = 1_000_000
    limits.forget()
    make_devices(2)
    factories.make_device(
        product, ownerships.EXAMPLE["serial_number"], device_name=ownerships.EXAMPLE["device_name"]
    )
    by = factories.actor_of(alice)
    # Releasing the first ownership leaves the first device as it is.
    for device in (2, 1):
        ownership.assign([device], customer=customer, by=by)
    operation_of(organization), operation_of(organization)
    assert set(Ownership.objects.values_list("pk", flat=True)) == {1, 2}
    first = Device.objects.get(pk=1)
    claims_world.rows(organization, first, customer, dana, alice, slug="aqua-meter")
    calls.ask(first, kind="variable", name="battery", timeout=300, by=by)
    webhooks.send_test(
        webhooks.create(url="https://example.com/hooks", events=["device.assigned"], by=by), by=by
    )


@pytest.mark.parametrize("kind", ["organization", "customer"])
def test_the_api_keeps_to_its_document(kind, world, live_server, alice, dana, customer):
    if kind == "organization":
        by = factories.actor_of(alice)
        _key, text = api_keys.create(name="All", scopes=by.permissions, by=by)
    else:
        _key, text = api_keys.create(
            name="All", scopes=CustomerScope, by=factories.actor_of(dana), customer=customer
        )
    place = 0 if kind == "organization" else 1
    closed = [name for _method, _path, name in routes() if TABLE[name][place] is None]
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", f"{live_server.url}/api/v1/openapi.json",
        "--header", f"Authorization: Bearer {text}", "--checks", "all", "--max-examples", EXAMPLES,
        "--phases", PHASES,
        *(word for name in closed for word in ("--exclude-operation-id", name)),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert f"Tested: {len(TABLE) - len(closed)}" in run.stdout
