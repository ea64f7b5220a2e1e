from devices.models.call import Call, CallKind, CallState
from devices.models.device import Device, DeviceStatus
from devices.models.manifest import ManifestImport
from devices.models.message import DeviceReport, Message
from devices.models.ownership import EndReason, Ownership, SharedAccess, StartReason
from devices.models.product import OwnershipMode, Product
from devices.models.roundtrip import RoundTrip
from devices.models.tag import DeviceTag, Tag

__all__ = [
    "Call",
    "CallKind",
    "CallState",
    "Device",
    "DeviceReport",
    "DeviceStatus",
    "DeviceTag",
    "EndReason",
    "ManifestImport",
    "Message",
    "Ownership",
    "OwnershipMode",
    "Product",
    "RoundTrip",
    "SharedAccess",
    "StartReason",
    "Tag",
]
