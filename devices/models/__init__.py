from devices.models.device import Device, DeviceStatus
from devices.models.manifest import ManifestImport
from devices.models.ownership import EndReason, Ownership, SharedAccess, StartReason
from devices.models.product import OwnershipMode, Product
from devices.models.roundtrip import RoundTrip
from devices.models.tag import DeviceTag, Tag

__all__ = ["Device", "DeviceStatus", "DeviceTag", "EndReason", "ManifestImport", "Ownership", "OwnershipMode",
           "Product", "RoundTrip", "SharedAccess", "StartReason", "Tag"]  # fmt: skip
