"""What webhooks can be told of, and which line of the audit log tells which of it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

ORGANIZATION, PRODUCT, CUSTOMER = "organization", "product", "customer"
MESSAGE, TEST, LIMIT = "message", "webhook.test", "claim.refused_by_limit"
REGISTERED, ASSIGNED, CLAIMED, TRANSFERRED = (
    "device.registered",
    "device.assigned",
    "device.claimed",
    "device.transferred",
)


@dataclass(frozen=True)
class Kind:
    """One kind of event: what it is called, and which webhooks can have it."""

    label: Any
    scopes: frozenset[str]


_OURS, _ALL = frozenset({ORGANIZATION, PRODUCT}), frozenset({ORGANIZATION, PRODUCT, CUSTOMER})
KINDS: dict[str, Kind] = {
    "device.registered": Kind(_("Device registered"), _OURS),
    "device.assigned": Kind(_("Device assigned"), _ALL),
    "device.claimed": Kind(_("Device claimed"), _ALL),
    "device.unclaimed": Kind(_("Device unclaimed"), _ALL),
    # It names both customers, so none of them gets it: the one gets an unclaim, the other an assignment.
    "device.transferred": Kind(_("Device transferred"), _OURS),
    "device.returned": Kind(_("Device returned"), _ALL),
    "shipment.shipped": Kind(_("Shipment shipped"), frozenset({ORGANIZATION, CUSTOMER})),
    "claim.refused_by_limit": Kind(_("Claim refused, all claims taken"), frozenset({ORGANIZATION})),
    "message": Kind(_("Message of a device"), _ALL),
}

# By kind of line in the audit log. What is undone is told as what it amounts to.
FOLLOWED: dict[str, str] = {
    "device.registered": "device.registered",
    "device.assigned": ASSIGNED,
    "device.claimed": "device.claimed",
    "device.unclaimed": "device.unclaimed",
    "device.released": "device.unclaimed",
    "device.returned": "device.returned",
    "device.assignment_undone": "device.unclaimed",
    "device.unclaim_undone": ASSIGNED,
    "device.return_undone": ASSIGNED,
    "device.swapped_in": ASSIGNED,
    "device.swapped_out": "device.returned",
    "shipment.shipped": "shipment.shipped",
    "shipment.sent": "shipment.shipped",
}
# What begins an ownership; of the rest, all but a registration ends one.
BEGINNINGS = {ASSIGNED, CLAIMED}
# Lines that name another device in the place of the customer.
SWAPS = {"device.swapped_in", "device.swapped_out"}
# Lines of an ownership that goes on as if it had never ended: they happen at their own moment, not when it began.
REOPENINGS = {"device.unclaim_undone", "device.return_undone"}


def label(kind: str) -> str:
    """The kind in words."""
    return str(KINDS[kind].label) if kind in KINDS else str(_("Test")) if kind == TEST else kind


def of_scope(scope: str) -> list[tuple[str, Any]]:
    """The kinds that a webhook of this scope can have, as choices of a form."""
    return [(name, kind.label) for name, kind in KINDS.items() if scope in kind.scopes]
