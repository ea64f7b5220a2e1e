"""The audit events of devices and products, and their subjects."""

from django.utils.translation import gettext_lazy as _

from console.audit import subjects
from console.audit.kinds import Group, Kind
from console.audit.public import EVERYONE, STAFF, PublicEvent, Sends
from console.webhooks import scopes
from devices import webhooks
from devices.models import Device, Product

DEVICES = Group(_("Devices"), place=10)
PRODUCTS = Group(_("Products"), place=20)

PUBLIC_REGISTERED = PublicEvent("device.registered", _("Device registered"), STAFF, place=10)
PUBLIC_ASSIGNED = PublicEvent("device.assigned", _("Device assigned"), EVERYONE, place=20)
PUBLIC_CLAIMED = PublicEvent("device.claimed", _("Device claimed"), EVERYONE, place=30)
PUBLIC_UNCLAIMED = PublicEvent("device.unclaimed", _("Device unclaimed"), EVERYONE, place=40)

# An undo is sent to webhooks as the event that has the same effect.
REGISTERED = Kind(
    "device.registered",
    _("Device registered"),
    "circle-plus",
    _("{actor} registered {subject}"),
    DEVICES,
    webhook=Sends(PUBLIC_REGISTERED, webhooks.registered),
)
EDITED = Kind("device.edited", _("Device edited"), "pencil", _("{actor} edited {subject}"), DEVICES)
ASSIGNED = Kind(
    "device.assigned",
    _("Device assigned"),
    "user-plus",
    _("{actor} assigned {subject} to {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_ASSIGNED, webhooks.assigned, also=(webhooks.TRANSFERRED,)),
)
CLAIMED = Kind(
    "device.claimed",
    _("Device claimed"),
    "hand",
    _("{actor} claimed {subject} for {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_CLAIMED, webhooks.began),
)
RELEASED = Kind(
    "device.released",
    _("Device released"),
    "user-x",
    _("{actor} released {subject}, owned by {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_UNCLAIMED, webhooks.ended),
)
UNCLAIMED = Kind(
    "device.unclaimed",
    _("Device unclaimed"),
    "undo-2",
    _("{actor} unclaimed {subject} from {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_UNCLAIMED, webhooks.ended),
)
ASSIGNMENT_UNDONE = Kind(
    "device.assignment_undone",
    _("Assignment undone"),
    "rotate-ccw",
    _("{actor} undid the assignment of {subject} to {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_UNCLAIMED, webhooks.ended),
)
UNCLAIM_UNDONE = Kind(
    "device.unclaim_undone",
    _("Unclaim undone"),
    "rotate-ccw",
    _("{actor} undid the unclaim of {subject} from {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_ASSIGNED, webhooks.reopened),
)
ACCESS_GIVEN = Kind(
    "device.access_given", _("Access granted"), "eye", _("{actor} gave {object} access to {subject}"), DEVICES
)
ACCESS_ENDED = Kind(
    "device.access_ended", _("Access ended"), "user-x", _("{actor} ended {object}'s access to {subject}"), DEVICES
)
ARCHIVED = Kind("device.archived", _("Device archived"), "archive", _("{actor} archived {subject}"), DEVICES)
RESTORED = Kind("device.restored", _("Device restored"), "archive-restore", _("{actor} restored {subject}"), DEVICES)
SECRET_RENEWED = Kind(
    "device.secret_renewed",
    _("Device secret renewed"),
    "key-round",
    _("{actor} gave {subject} a new secret"),
    DEVICES,
)
WIPED = Kind("device.wiped", _("Device wiped itself"), "shield-check", _("{subject} has wiped itself"), DEVICES)
PRODUCT_CREATED = Kind(
    "product.created",
    _("Product created"),
    "box",
    _("{actor} created the product {subject}"),
    PRODUCTS,
    former=("product.made",),
)
PRODUCT_EDITED = Kind(
    "product.edited", _("Product edited"), "pencil", _("{actor} edited the product {subject}"), PRODUCTS
)
PRODUCT_ARCHIVED = Kind(
    "product.archived", _("Product archived"), "archive", _("{actor} archived the product {subject}"), PRODUCTS
)
PRODUCT_RESTORED = Kind(
    "product.restored", _("Product restored"), "archive-restore", _("{actor} restored the product {subject}"), PRODUCTS
)

# Events that take a device from its owner; higher apps add theirs. What customers return themselves (RELEASED) does not
# count, even if staff created the key that they use.
TAKING: list[Kind] = [UNCLAIMED]
# Frequent events that certainly change no ownership; higher apps add theirs. Any other event may.
NO_HANDOVER: list[Kind] = [REGISTERED, SECRET_RENEWED]

subjects.register(
    subjects.Subject(
        Device,
        page="devices:device_detail",
        title=_("Devices"),
        place=10,
        search_key="serial_key",
        search_in=({"archived_at__isnull": True}, {"archived_at__isnull": False}),
        is_mono=True,
    )
)
subjects.register(
    subjects.Subject(Product, page="devices:product_detail", title=_("Products"), place=20, search_key="name_key")
)
scopes.register(
    scopes.Scope(
        "product",
        Product,
        place=10,
        unknown=_("There is no such active product. Choose another one."),
        fields=("name", "slug"),
        key="slug",
    )
)
