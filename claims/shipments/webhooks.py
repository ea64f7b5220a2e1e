"""Payloads of shipment webhooks."""

from collections.abc import Iterator

from console.audit.public import Logged, Occurrence
from devices.webhooks import customer_of


def shipped(line: Logged) -> Iterator[Occurrence]:
    """Yield the occurrence of a shipment that left, for its organization and its customer."""
    customer = customer_of(line)
    shipment = {"id": line.ids[0], "code": line.label, "units": line.data.get("units")}
    customer_id = customer["id"] if customer else None
    yield Occurrence({"shipment": shipment, "customer": customer}, line.at, customer_id=customer_id, label=line.label)
