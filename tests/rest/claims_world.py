"""One row of each kind of claims, shipments, returns and labels, for the tests of every call."""

from typing import Any

from claims.labels import actions as labels
from claims.labels.drawing import Options
from claims.models import ClaimCode
from claims.redemption.actions import redemption as claims
from claims.returns.actions import returns
from claims.shipments.actions import shipments
from devices.actions import ownership
from tests import factories
from tests.claims import worlds


def rows(
    organization: Any, device: Any, customer: Any, dana: Any, alice: Any, slug: str = "north-pilot"
) -> dict[str, int]:
    """The ids by the first word of the address. The device gets a code of its own."""
    profile = worlds.make_link_profile(
        organization, grant="access", slug=slug, documents=[("Manual", "https://a.example/")]
    )
    worlds.make_unit_profile(None, device, organization=organization)
    code = ClaimCode.objects.select_related("profile").get(profile=profile)
    claim = claims.redeem(code, customer=customer, by=factories.actor_of(dana), host="localhost")
    by, coming = factories.actor_of(alice), factories.make_device(device.product)
    ownership.assign([coming.pk], customer=customer, by=by)
    return {
        "claim-profiles": profile.pk,
        "claims": claim.pk,
        "shipments": shipments.create(customer=customer, lines={device.product: 1}, by=by).pk,
        "returns": returns.request(coming, customer=customer, reason="Upgrade", by=factories.actor_of(dana)).pk,
        "label-sheets": labels.start([device.pk], profile_id=None, form="csv", options=Options("L7160"), by=by).pk,
    }
