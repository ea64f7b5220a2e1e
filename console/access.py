"""Permissions, one table of role × permission, and the actor that holds them."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Permission(StrEnum):
    """A right in the console. Its label says what it allows, as the settings page shows it."""

    VIEW = "view"
    EXPORT = "export"
    PRODUCT_EDIT = "product.edit"
    DEVICE_EDIT = "device.edit"
    DEVICE_IMPORT = "device.import"
    DEVICE_ARCHIVE = "device.archive"
    DEVICE_ASSIGN = "device.assign"
    DEVICE_UNCLAIM = "device.unclaim"
    DEVICE_UNCLAIM_MANY = "device.unclaim_many"
    DEVICE_CALL = "device.call"
    CUSTOMER_EDIT = "customer.edit"
    CUSTOMER_IMPORT = "customer.import"
    CUSTOMER_INVITE = "customer.invite"
    PROFILE_EDIT = "profile.edit"
    CODE_VIEW = "code.view"
    SHIPMENT_EDIT = "shipment.edit"
    RETURN_RECEIVE = "return.receive"
    RETURN_EDIT = "return.edit"
    API_KEY_MANAGE = "api_key.manage"
    WEBHOOK_MANAGE = "webhook.manage"
    MEMBER_MANAGE = "member.manage"
    ORGANIZATION_EDIT = "organization.edit"

    @property
    def label(self) -> str:
        """What the right allows, in words."""
        return LABELS[self]


LABELS: dict[Permission, Any] = {
    Permission.VIEW: _("See products, devices, customers, claim profiles and activity"),
    Permission.EXPORT: _("Export lists"),
    Permission.PRODUCT_EDIT: _("Create and edit products"),
    Permission.DEVICE_EDIT: _("Register and edit devices, notes and tags"),
    Permission.DEVICE_IMPORT: _("Import factory manifests"),
    Permission.DEVICE_ARCHIVE: _("Archive and restore devices"),
    Permission.DEVICE_ASSIGN: _("Assign devices to customers"),
    Permission.DEVICE_UNCLAIM: _("Unclaim devices, up to 50 an hour"),
    Permission.DEVICE_UNCLAIM_MANY: _("Unclaim more than 50 devices an hour"),
    Permission.DEVICE_CALL: _("Read variables of devices and call their functions"),
    Permission.CUSTOMER_EDIT: _("Create, edit and archive customers"),
    Permission.CUSTOMER_IMPORT: _("Import customers"),
    Permission.CUSTOMER_INVITE: _("Invite and remove a customer's people"),
    Permission.PROFILE_EDIT: _("Create and edit claim profiles"),
    Permission.CODE_VIEW: _("See claim links, QR codes and typed codes, and print labels"),
    Permission.SHIPMENT_EDIT: _("Pack and ship shipments"),
    Permission.RETURN_RECEIVE: _("Receive returned devices"),
    Permission.RETURN_EDIT: _("Inspect, restock, scrap and swap returned devices"),
    Permission.API_KEY_MANAGE: _("Create and revoke API keys"),
    Permission.WEBHOOK_MANAGE: _("Create and edit webhooks, and see their deliveries"),
    Permission.MEMBER_MANAGE: _("Invite members and change their roles"),
    Permission.ORGANIZATION_EDIT: _("Edit the organization, its brand and domains"),
}


class CustomerScope(StrEnum):
    """A right of a customer's API key, limited to the customer's own devices."""

    READ = "customer.read"
    TAKE = "customer.take"
    CLAIM = "customer.claim"
    CALL = "customer.call"
    ACCESS = "customer.access"

    @property
    def label(self) -> str:
        """What the right allows, in words."""
        return CUSTOMER_LABELS[self]


CUSTOMER_LABELS: dict[CustomerScope, Any] = {
    CustomerScope.READ: _("See its devices, ownerships and messages"),
    CustomerScope.TAKE: _("Take ownership of devices by serial number and device name, and release them"),
    CustomerScope.CLAIM: _("Redeem claim codes"),
    CustomerScope.CALL: _("Read variables of its devices and call their functions"),
    CustomerScope.ACCESS: _("End other people's access to its devices and projects, and rename its projects"),
}

P = Permission
_READ = {P.VIEW}
# fmt: off
_FULFILMENT = _READ | {P.EXPORT, P.DEVICE_ASSIGN, P.CODE_VIEW, P.CUSTOMER_EDIT, P.CUSTOMER_INVITE, P.SHIPMENT_EDIT,
                       P.RETURN_RECEIVE}
_SUPPORT = _READ | {P.EXPORT, P.DEVICE_EDIT, P.DEVICE_ASSIGN, P.DEVICE_UNCLAIM, P.DEVICE_CALL, P.CUSTOMER_EDIT,
                    P.CUSTOMER_INVITE, P.CODE_VIEW, P.RETURN_RECEIVE, P.RETURN_EDIT}
_PRODUCT_MANAGER = _FULFILMENT | _SUPPORT | {P.PRODUCT_EDIT, P.DEVICE_IMPORT, P.DEVICE_ARCHIVE, P.CUSTOMER_IMPORT,
                                             P.PROFILE_EDIT}
_ADMINISTRATOR = _PRODUCT_MANAGER | {P.DEVICE_UNCLAIM_MANY, P.API_KEY_MANAGE, P.WEBHOOK_MANAGE, P.MEMBER_MANAGE,
                                     P.ORGANIZATION_EDIT}
# fmt: on

# The only difference between an owner and an administrator: only an owner can appoint or remove an owner.
ROLES: dict[str, frozenset[Permission]] = {
    "owner": frozenset(_ADMINISTRATOR),
    "administrator": frozenset(_ADMINISTRATOR),
    "product_manager": frozenset(_PRODUCT_MANAGER),
    "fulfilment": frozenset(_FULFILMENT),
    "support": frozenset(_SUPPORT),
    "viewer": frozenset(_READ),
}


@dataclass(frozen=True)
class Actor:
    """Who acts, and for whom. Every edge passes it to `visible_to`, and every action takes it as `by`.

    `kind` is member, customer, system or anonymous. `customers` are the customers that a customer's person belongs to;
    they may act for those in `operates`, and are an admin of those in `administers`. `projects` are those that they see
    as an additional member; `operates_in` and `administers_in` are the projects among them in which they may do the
    same, and nowhere else. `is_working` says whether an operation of the member is under way: every page shows it, so
    it is loaded with the member rather than by a query of its own.
    """

    kind: str = "anonymous"
    user: Any = None
    organization: Any = None
    role: str = ""
    permissions: frozenset[Permission | CustomerScope] = frozenset()
    customers: frozenset[int] = frozenset()
    projects: frozenset[int] = frozenset()
    operates: frozenset[int] = frozenset()
    administers: frozenset[int] = frozenset()
    operates_in: frozenset[int] = frozenset()
    administers_in: frozenset[int] = frozenset()
    label: str = ""
    key_id: int | None = None
    has_second_factor: bool = False
    has_other_organizations: bool = False
    is_working: bool = False

    def may(self, permission: Permission | CustomerScope) -> bool:
        """Whether this actor holds the permission."""
        return permission in self.permissions

    @property
    def user_id(self) -> int | None:
        """The id of the person, or None for the system."""
        return self.user.pk if self.user is not None else None

    def within(self, organization: Any) -> "Actor":
        """Return the same person acting in this organization.

        A customer's person may belong to several organizations.
        """
        return replace(self, organization=organization)


ANONYMOUS = Actor()


def system(organization: Any, label: str = "Custody") -> Actor:
    """Return the server itself (a command or the worker) acting for one organization, with every right in it."""
    return Actor(kind="system", organization=organization, permissions=frozenset(Permission), label=label)
