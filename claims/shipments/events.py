"""Event kinds of shipments, for the log and webhooks."""

from django.utils.translation import gettext_lazy as _

from claims.models import Shipment
from claims.shipments import webhooks
from console.audit import subjects
from console.audit.kinds import Group, Kind
from console.audit.public import CUSTOMER, ORGANIZATION, PublicEvent, Sends

SHIPMENTS = Group(_("Shipments"), place=50)

PUBLIC_SHIPPED = PublicEvent("shipment.shipped", _("Shipment shipped"), frozenset({ORGANIZATION, CUSTOMER}), place=70)

CREATED = Kind(
    "shipment.created",
    _("Shipment created"),
    "package",
    _("{actor} created shipment {subject} for {object}"),
    SHIPMENTS,
    former=("shipment.made",),
)
EDITED = Kind("shipment.edited", _("Shipment edited"), "pencil", _("{actor} edited shipment {subject}"), SHIPMENTS)
SHIPPED = Kind(
    "shipment.shipped",
    _("Shipment shipped"),
    "package-check",
    _("{actor} shipped {subject} to {object}"),
    SHIPMENTS,
    webhook=Sends(PUBLIC_SHIPPED, webhooks.shipped),
)
SENT = Kind(
    "shipment.sent",
    _("Shipment sent"),
    "package-check",
    _("{actor} sent {subject} to {object}, to be claimed by code"),
    SHIPMENTS,
    webhook=Sends(PUBLIC_SHIPPED, webhooks.shipped),
)
CLAIMED = Kind(
    "shipment.claimed",
    _("Shipment claimed"),
    "gift",
    _("{actor} claimed shipment {subject} for {object}"),
    SHIPMENTS,
)
CANCELLED = Kind(
    "shipment.cancelled", _("Shipment cancelled"), "ban", _("{actor} cancelled shipment {subject}"), SHIPMENTS
)
REOPENED = Kind(
    "shipment.reopened",
    _("Shipment reopened"),
    "rotate-ccw",
    _("{actor} reopened shipment {subject}"),
    SHIPMENTS,
)
DEVICE_PACKED = Kind(
    "device.packed", _("Device packed"), "package", _("{actor} packed {subject} into {object}"), SHIPMENTS
)
DEVICE_UNPACKED = Kind(
    "device.unpacked", _("Device removed from shipment"), "box", _("{actor} removed {subject} from {object}"), SHIPMENTS
)

subjects.register(subjects.Subject(Shipment, page="claims:shipment_detail"))
