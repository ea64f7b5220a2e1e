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
    _("Shipment opened"),
    "package",
    _("{actor} opened the shipment {subject} for {object}"),
    SHIPMENTS,
    former=("shipment.made",),
)
EDITED = Kind("shipment.edited", _("Shipment edited"), "pencil", _("{actor} edited the shipment {subject}"), SHIPMENTS)
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
    _("{actor} sent {subject} to {object}, who claims it"),
    SHIPMENTS,
    webhook=Sends(PUBLIC_SHIPPED, webhooks.shipped),
)
CLAIMED = Kind(
    "shipment.claimed",
    _("Shipment claimed"),
    "gift",
    _("{actor} claimed the shipment {subject} for {object}"),
    SHIPMENTS,
)
CANCELLED = Kind(
    "shipment.cancelled", _("Shipment cancelled"), "ban", _("{actor} cancelled the shipment {subject}"), SHIPMENTS
)
REOPENED = Kind(
    "shipment.reopened",
    _("Shipment opened again"),
    "rotate-ccw",
    _("{actor} opened the shipment {subject} again"),
    SHIPMENTS,
)
DEVICE_PACKED = Kind(
    "device.packed", _("Device packed"), "package", _("{actor} packed {subject} into {object}"), SHIPMENTS
)
DEVICE_UNPACKED = Kind(
    "device.unpacked", _("Device taken out"), "box", _("{actor} took {subject} out of {object}"), SHIPMENTS
)

subjects.register(subjects.Subject(Shipment, page="claims:shipment_detail"))
