"""API keys over REST: listing and revoking. People create them (docs/decisions/0007-keys-are-created-by-people.md)."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import CustomerScope, Permission
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Id
from console.rest.paging import PageQuery, page
from console.webhooks import actions as webhooks
from customers.api_shapes import CustomerRef
from customers.keys import dependents
from customers.keys.actions import api_keys
from customers.keys.api_shapes import KeyOut
from customers.models import ApiKey

TAG = "api keys"

MAY = Permission.API_KEY_MANAGE
KEEP, DISABLE = "keep", "disable"
SCOPES = [*[p.value for p in Permission], *[s.value for s in CustomerScope]]


class KeyQuery(PageQuery):
    """Which of the API keys to list."""

    customer = Id(required=False, in_query=True, help_text="Only keys of the customer with this id.")


class RevokeIn(Body):
    """What to do with the webhooks that the key created."""

    webhooks = serializers.ChoiceField(
        choices=[(KEEP, "They stay on"), (DISABLE, "They are disabled")], required=False, default=KEEP
    )


class KeyWebhook(serializers.Serializer):
    """A webhook that the key created, or whose address it was the last to choose."""

    id = serializers.IntegerField()
    url = serializers.CharField(help_text="The address. Its path is left out unless the key may manage webhooks.")
    is_enabled = serializers.BooleanField()


class KeyDetail(KeyOut):
    """An API key and what depends on it, without the key itself."""

    webhooks = KeyWebhook(many=True)

    class Meta(KeyOut.Meta):
        fields = [*KeyOut.Meta.fields, "webhooks"]


class KeyOrganization(serializers.Serializer):
    """An organization, under the name by which the caller knows it."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class OwnKeyOut(serializers.Serializer):
    """The key that the call was made with."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    start = serializers.CharField(help_text="The first characters of the key.")
    kind = serializers.ChoiceField(
        choices=["organization", "customer"], help_text="Whether the key belongs to the organization or to a customer."
    )
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPES), help_text="The permissions that the key has now."
    )
    organization = KeyOrganization()
    customer = CustomerRef(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


@endpoint("See this key", may=None, answers=OwnKeyOut, is_for_any_key=True)
def key_detail(request: Any) -> Any:
    """Returns what the key of this call is and may do: a good first call for an integration.

    The scopes listed are those that the role of the key's creator also allows.
    """
    key, actor = request.auth, request.actor
    organization = key.organization
    name = organization.brand if key.customer_id else organization.name
    return {
        "id": key.pk,
        "name": key.name,
        "start": key.start,
        "kind": "customer" if key.customer_id else "organization",
        "scopes": sorted(actor.permissions),
        "organization": {"id": organization.pk, "name": name},
        "customer": key.customer,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }


@endpoint("List API keys", may=MAY, answers=KeyOut, query=KeyQuery, is_list=True)
def api_key_list(request: Any) -> Any:
    """Returns the keys of the organization and of its customers, including those that are no longer usable."""
    rows = _rows(request)
    if request.query.get("customer"):
        rows = rows.filter(customer=request.query["customer"])
    return page(request.query, rows, KeyOut)


@endpoint("See an API key", may=MAY, answers=KeyDetail)
def api_key_detail(request: Any, pk: int) -> Any:
    """Returns one API key and its webhooks. The key itself is not stored anywhere and cannot be shown."""
    return _detail(request, pk)


@endpoint("Revoke an API key", may=MAY, takes=RevokeIn, answers=KeyDetail)
def api_key_revoke(request: Any, pk: int) -> Any:
    """Revokes the key immediately and permanently; it may be the key of this call.

    Webhooks that it created belong to the organization and stay on, unless `webhooks` says otherwise; owners and
    administrators are emailed which ones. Its open invitations are revoked, and its operations stop.
    """
    key = get_object_or_404(_rows(request), pk=pk)
    disables = [hook.pk for hook in dependents.of(key).webhooks] if _is_to_disable(request) else []
    api_keys.revoke(key, by=request.actor, disables=disables)
    return _detail(request, pk)


def _is_to_disable(request: Any) -> bool:
    return request.body_data.get("webhooks") == DISABLE


def _detail(request: Any, pk: int) -> dict[str, Any]:
    key = get_object_or_404(_rows(request), pk=pk)
    may_see = request.actor.may(Permission.WEBHOOK_MANAGE)
    hooks = webhooks.of_key(key.organization_id, key.pk)
    named = [
        {"id": hook.pk, "url": hook.url if may_see else str(hook), "is_enabled": hook.is_enabled} for hook in hooks
    ]
    return {**KeyOut(key).data, "webhooks": named}


def _rows(request: Any) -> QuerySet[ApiKey]:
    return ApiKey.objects.visible_to(request.actor).select_related("customer", "made_by")
