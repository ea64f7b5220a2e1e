"""Creation and revocation of API keys."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from console.access import Actor, CustomerScope, Permission
from console.audit import record
from console.errors import Refused
from console.people.actions.members import revoke_invitations_of_key
from console.transactions import retrying
from console.webhooks import actions as webhooks
from customers import events
from customers.keys import credentials
from customers.models import ApiKey, Customer, CustomerUser

LONGEST = timedelta(days=366)


@retrying
def create(
    *,
    name: str,
    scopes: Iterable[str],
    by: Actor,
    customer: Customer | None = None,
    expires_at: datetime | None = None,
    at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Create a key of the organization or of a customer. Returns it with its text, which is never shown again.

    Raises Refused (422) if there is no scope, if the creator lacks a scope, or if the expiry is in the past.
    """
    at, scopes = at or timezone.now(), sorted(set(scopes))
    if customer is not None:
        lock_person(by, customer)
    if not scopes:
        raise Refused("no_scope", _("Choose at least one permission for the key."), status=422)
    if not set(scopes) <= set(map(str, allowed(by, customer))):
        raise Refused("scope_not_yours", _("A key can't have permissions that you don't have yourself."), status=422)
    if expires_at is not None and expires_at <= at:
        raise Refused("expired_already", _("The key would already have expired. Choose a later date."), status=422)
    text = credentials.generate()
    key = ApiKey.objects.create(
        organization=by.organization if customer is None else customer.organization,
        customer=customer,
        name=name,
        start=text[: credentials.SHOWN],
        sha256=credentials.sha256(text),
        scopes=scopes,
        made_by=by.user,
        created_at=at,
        expires_at=expires_at,
    )
    record(events.API_KEY_CREATED, key, by=by, about=customer, at=at, scopes=", ".join(scopes))
    return key, text


@retrying
def revoke(
    key: ApiKey, *, by: Actor, disables: Iterable[int] = (), seen: Iterable[int] | None = (), at: datetime | None = None
) -> bool:
    """Revoke a key with immediate effect. Returns whether it was still in use.

    Its webhooks stay on, except those in `disables`. Owners and administrators are emailed which ones stay on, except
    those that the person who revokes the key has `seen`; if `seen` is None, no email is sent.
    """
    at = at or timezone.now()
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at):
        return False
    record(events.API_KEY_REVOKED, key, by=by, about=key.customer, at=at)
    revoke_invitations_of_key(key.organization_id, key.pk, by=by)
    webhooks.leave_key(key, by=by, disables=disables, seen=seen)
    return True


def revoke_of(
    organization: Any, user: Any, *, by: Actor, customer: Customer | None = None, at: datetime | None = None
) -> int:
    """Revoke keys created by a person who leaves the organization or the customer. Returns how many.

    The keys stay revoked if the person comes back, and whatever an expired key had opened ends too.
    """
    mine = ApiKey.objects.filter(revoked_at=None, organization=organization, made_by=user)
    rows = list(mine.filter(customer=customer) if customer else mine)
    # One email covers all keys of the person, see `console.webhooks.actions.leave_person`.
    return sum(revoke(key, by=by, seen=None, at=at) for key in rows)


def lock_person(by: Actor, customer: Customer) -> None:
    """Keep the person from being removed, or from getting another role, until this transaction ends.

    A person who is removed loses their keys. A key created at the same moment would be missed, and would work again if
    they came back.
    """
    people = CustomerUser.objects.filter(user=by.user_id, customer=customer)
    people.select_for_update(no_key=True).values_list("pk").first()


def allowed(by: Actor, customer: Customer | None) -> frozenset[Permission] | frozenset[CustomerScope]:
    """Return the scopes that this person may give a key. For a customer's key, they depend on the person's role."""
    if customer is not None and by.kind != "customer":
        return frozenset(CustomerScope)
    if customer is not None:
        role = credentials.customer_role(by.user_id, customer) if customer.pk in by.customers else None
        mine = credentials.CUSTOMER_SCOPES.get(role or "", frozenset())
        return mine & by.permissions if by.key_id else mine
    return frozenset(Permission(right) for right in by.permissions if right in set(Permission))
