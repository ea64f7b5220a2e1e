"""What depends on an API key, for the person about to revoke it."""

from dataclasses import dataclass

from console.models import Invitation, Operation, Webhook
from console.models.operation import OperationState
from console.webhooks import actions as webhooks
from customers.models import ApiKey


@dataclass(frozen=True)
class Dependents:
    """What depends on a key. Invitations are revoked and operations stop with it; webhooks stay on by default."""

    webhooks: list[Webhook]
    invitations: int
    operations: int


def of(key: ApiKey) -> Dependents:
    """Return what depends on this key."""
    invitations = Invitation.objects.filter(  # unscoped: counts the invitations of a visible key
        organization=key.organization_id, key_id=key.pk, accepted_at=None, revoked_at=None
    )
    running = [OperationState.WAITING, OperationState.RUNNING]
    # unscoped: counts the operations of a visible key
    operations = Operation.objects.filter(organization=key.organization_id, by_key=key.pk, state__in=running)
    hooks = webhooks.of_key(key.organization_id, key.pk).filter(is_enabled=True)
    return Dependents(list(hooks), invitations.count(), operations.count())
