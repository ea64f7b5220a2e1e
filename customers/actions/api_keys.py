"""Makes and revokes API keys."""

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
from customers import events, keys
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
    """Make a key of the organization, or of a customer. Returns it with its text, which nobody sees again.

    Raises Refused (422) for a scope that its maker does not have himself, and without any.
    """
    at, scopes = at or timezone.now(), sorted(set(scopes))
    if customer is not None:
        hold_person(by, customer)
    if not scopes:
        raise Refused("no_scope", _("Choose what the key may do."), status=422)
    if not set(scopes) <= set(map(str, allowed(by, customer))):
        raise Refused("scope_not_yours", _("A key can't do more than you may do yourself."), status=422)
    if expires_at is not None and expires_at <= at:
        raise Refused("expired_already", _("It would have expired already. Choose a later day."), status=422)
    text = keys.generate()
    key = ApiKey.objects.create(
        organization=by.organization if customer is None else customer.organization,
        customer=customer,
        name=name,
        start=text[: keys.SHOWN],
        sha256=keys.sha256(text),
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
    """Make a key useless from this moment on. Returns whether that is new.

    Its webhooks stay on, except `disables`. Owners and administrators are mailed which stay on, except those that the
    person who revokes it has `seen`; with None they are mailed nothing.
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
    """Revoke the keys that a person made who leaves the organization or the customer. Should they come back, the keys
    stay dead, and what those that expired had opened ends too. Returns how many."""
    mine = ApiKey.objects.filter(revoked_at=None, organization=organization, made_by=user)
    rows = list(mine.filter(customer=customer) if customer else mine)
    # What a person leaves behind is told once for all of their keys, see `console.webhooks.actions.leave_person`.
    return sum(revoke(key, by=by, seen=None, at=at) for key in rows)


def hold_person(by: Actor, customer: Customer) -> None:
    """Keep the person from being removed, or from getting another role, until this transaction ends.

    Who is removed loses his keys: one that is made at the same moment would be missed, and live again with him.
    """
    people = CustomerUser.objects.filter(user=by.user_id, customer=customer)
    people.select_for_update(no_key=True).values_list("pk").first()


def allowed(by: Actor, customer: Customer | None) -> frozenset[Permission] | frozenset[CustomerScope]:
    """The scopes that this person may give a key: of the customer's people, each what his role gives."""
    if customer is not None and by.kind != "customer":
        return frozenset(CustomerScope)
    if customer is not None:
        role = keys.customer_role(by.user_id, customer) if customer.pk in by.customers else None
        mine = keys.CUSTOMER_SCOPES.get(role or "", frozenset())
        return mine & by.permissions if by.key_id else mine
    return frozenset(Permission(right) for right in by.permissions if right in set(Permission))
