"""API keys: their format, and who acts with one. This module fills the slots of `console.api_keys`."""

import hashlib
import secrets
import zlib

from console.access import ROLES, Actor, CustomerScope, Permission
from console.models import Member
from customers.keys.actions import uses
from customers.models import ApiKey, Customer, CustomerRole, CustomerUser

PREFIX = "cst_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM, CHECK = 40, 6
SHOWN = len(PREFIX) + 6

# What a person of a customer may allow a key to do, by their role.
CUSTOMER_SCOPES: dict[str, frozenset[CustomerScope]] = {
    CustomerRole.ADMIN: frozenset(CustomerScope),
    CustomerRole.OPERATOR: frozenset(CustomerScope) - {CustomerScope.ACCESS},
    CustomerRole.VIEWER: frozenset({CustomerScope.READ}),
}


# The permission that a member needs to give a customer's key each scope.
STAFF_NEEDS: dict[CustomerScope, Permission] = {
    CustomerScope.READ: Permission.VIEW,
    CustomerScope.TAKE: Permission.DEVICE_ASSIGN,
    CustomerScope.CLAIM: Permission.DEVICE_ASSIGN,
    CustomerScope.CALL: Permission.DEVICE_CALL,
    CustomerScope.ACCESS: Permission.DEVICE_UNCLAIM,
}


def generate() -> str:
    """Return a new key: `cst_`, 40 random characters (238 bits) and 6 check characters.

    The check characters let a secret scanner recognize a real key.
    """
    body = "".join(secrets.choice(ALPHABET) for _each in range(RANDOM))
    return PREFIX + body + _check(body)


def is_well_formed(text: str) -> bool:
    """Whether the text has the format of a key."""
    body, check = text[len(PREFIX) : -CHECK], text[-CHECK:]
    return text.startswith(PREFIX) and len(body) == RANDOM and set(body) <= set(ALPHABET) and _check(body) == check


def sha256(text: str) -> str:
    """Return the SHA-256 of a key, the only form in which it is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def find(text: str) -> tuple[Actor, ApiKey] | None:
    """Return the key with the actor who uses it, or None if it cannot be used.

    None if the key is unknown, expired or revoked, or if its creator has no permissions left.
    """
    if not is_well_formed(text):
        return None
    rows = ApiKey.objects.usable().filter(made_by__is_active=True)  # unscoped: finds out who is acting
    rows = rows.select_related("organization", "customer", "made_by")
    key = rows.filter(sha256=sha256(text)).first()
    if key is None:
        return None
    actor = _of_customer(key) if key.customer_id else _of_organization(key)
    if actor is None or not actor.permissions:
        return None
    uses.note(key)
    return actor, key


def is_usable(key_id: int) -> bool:
    """Whether the key is still usable. Work that it started continues only while it is."""
    # unscoped: returns whether a key is usable, and no row
    return ApiKey.objects.usable().filter(pk=key_id, made_by__is_active=True).exists()


def hold(key_id: int) -> bool:
    """Keep a key from being revoked until this transaction ends. Returns whether it is usable now."""
    rows = ApiKey.objects.usable().select_for_update(no_key=True)  # unscoped: returns no row
    return bool(rows.filter(pk=key_id).values_list("pk"))


def customer_role(user_id: int | None, customer: Customer) -> str | None:
    """Return the person's current role at the customer, or None if they do not belong to it."""
    # unscoped: finds out who is acting
    people = CustomerUser.objects.filter(customer=customer, user=user_id, removed_at=None)
    return people.values_list("role", flat=True).first()


def _of_organization(key: ApiKey) -> Actor | None:
    role = (
        # unscoped: finds out who is acting
        Member.objects.filter(organization=key.organization_id, user=key.made_by_id, removed_at=None)
        .values_list("role", flat=True)
        .first()
    )
    if role is None:
        return None
    rights = ROLES.get(role, frozenset()) & {Permission(s) for s in key.scopes if s in set(Permission)}
    return Actor(
        kind="member",
        user=key.made_by,
        organization=key.organization,
        role=role,
        permissions=frozenset(rights),
        label=_label(key),
        key_id=key.pk,
    )


def _of_customer(key: ApiKey) -> Actor | None:
    """Return the actor of a customer's key, or None.

    The key's creator is a person of the customer, or a member of the organization who looks after customers.
    """
    customer = key.customer
    if customer is None or customer.archived_at:
        return None
    role = customer_role(key.made_by_id, customer)
    allowed = CUSTOMER_SCOPES.get(role or "", frozenset())
    if role is None:
        allowed = _of_staff(key)
    rights = allowed & {CustomerScope(s) for s in key.scopes if s in set(CustomerScope)}
    return Actor(
        kind="customer",
        user=key.made_by,
        organization=key.organization,
        customers=frozenset({customer.pk}),
        permissions=frozenset(rights),
        label=_label(key),
        key_id=key.pk,
    )


def _of_staff(key: ApiKey) -> frozenset[CustomerScope]:
    """Return the scopes that a member may give a customer's key.

    These are what the member may do themselves, and none unless they look after customers.
    """
    # unscoped: finds out who is acting
    member = Member.objects.filter(organization=key.organization_id, user=key.made_by_id, removed_at=None).first()
    rights = ROLES.get(member.role, frozenset()) if member else frozenset()
    if Permission.CUSTOMER_INVITE not in rights:
        return frozenset()
    return frozenset(scope for scope, right in STAFF_NEEDS.items() if right in rights)


def _label(key: ApiKey) -> str:
    return f"{key.made_by} ({key.name})"


def _check(body: str) -> str:
    number, check = zlib.crc32(body.encode()), ""
    for _each in range(CHECK):
        number, digit = divmod(number, len(ALPHABET))
        check = ALPHABET[digit] + check
    return check
