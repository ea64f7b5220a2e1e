"""Webhooks and their deliveries over REST."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from console.access import Permission
from console.actions import webhooks
from console.models import Webhook, WebhookAttempt, WebhookDelivery
from console.models.webhook import DeliveryState
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Id, Text
from console.rest.paging import page
from console.webhooks import kinds

MANAGE = Permission.WEBHOOK_MANAGE


class WebhookOut(serializers.ModelSerializer):
    """A webhook, without its secret."""

    events = serializers.ListField(child=serializers.CharField())
    message_names = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Webhook
        fields = ["id", "url", "description", "events", "message_names", "product_id", "customer_id", "is_enabled",
                  "disabled_at", "disabled_reason", "failing_since", "created_at"]  # fmt: skip


class WebhookMade(WebhookOut):
    """A webhook that was just made, with its secret, which is not shown again."""

    secret = serializers.SerializerMethodField()

    class Meta(WebhookOut.Meta):
        fields = [*WebhookOut.Meta.fields, "secret"]

    def get_secret(self, hook: Webhook) -> str:
        """`whsec_…`, as Standard Webhooks writes it."""
        return webhooks.secret(hook)


class SecretOut(serializers.Serializer):
    """A new secret."""

    secret = serializers.CharField()


class WebhookEdit(Body):
    """What can be changed of a webhook."""

    url = Text(max_length=500)
    description = Text(max_length=200, required=False, allow_blank=True)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=list(kinds.KINDS)), min_length=1, max_length=30
    )
    message_names = serializers.ListField(child=Text(max_length=64), required=False, max_length=100)


class WebhookIn(WebhookEdit):
    """A new webhook: of the organization, of one product, or of one customer."""

    product_id = Id(required=False)
    customer_id = Id(required=False)


class AttemptOut(serializers.ModelSerializer):
    """One try to send a delivery."""

    class Meta:
        model = WebhookAttempt
        fields = ["at", "status", "milliseconds", "error", "response"]


class DeliveryOut(serializers.ModelSerializer):
    """One event on its way to a receiver."""

    state = serializers.ChoiceField(choices=DeliveryState.choices)
    payload = serializers.CharField()

    class Meta:
        model = WebhookDelivery
        fields = ["id", "message_id", "kind", "state", "payload", "attempts", "next_at", "created_at"]


class DeliveryDetail(DeliveryOut):
    """The same with its tries, the newest first."""

    tries = serializers.SerializerMethodField()

    class Meta(DeliveryOut.Meta):
        fields = [*DeliveryOut.Meta.fields, "tries"]

    def get_tries(self, delivery: WebhookDelivery) -> list[dict[str, Any]]:
        """The last hundred."""
        return AttemptOut(delivery.tries.order_by("-pk")[:100], many=True).data


@endpoint("List webhooks", may=MANAGE, answers=WebhookOut, is_list=True)
def webhook_list(request: Any) -> Any:
    """Those that are in use, enabled or not."""
    return page(request.query, _hooks(request), WebhookOut)


@endpoint("Make a webhook", may=MANAGE, takes=WebhookIn, answers=WebhookMade, status=201, is_secret=True,
          example={"url": "https://example.com/hooks", "events": ["device.assigned", "device.unclaimed"]})  # fmt: skip
def webhook_create(request: Any) -> Any:
    """The answer shows its secret, once."""
    return webhooks.create(by=request.actor, **request.body_data)


@endpoint("See a webhook", may=MANAGE, answers=WebhookOut)
def webhook_detail(request: Any, pk: int) -> Any:
    """One webhook."""
    return _hook(request, pk)


@endpoint("Edit a webhook", may=MANAGE, takes=WebhookEdit, answers=WebhookOut)
def webhook_edit(request: Any, pk: int) -> Any:
    """What is left out stays as it is; what it is bound to stays always."""
    return webhooks.edit(_hook(request, pk), by=request.actor, **request.body_data)


@endpoint("Remove a webhook", may=MANAGE)
def webhook_remove(request: Any, pk: int) -> None:
    """For good; what waits for it is given up."""
    webhooks.remove(_hook(request, pk), by=request.actor)


@endpoint("Enable a webhook", may=MANAGE, answers=WebhookOut)
def webhook_enable(request: Any, pk: int) -> Any:
    """What waited is sent, if it is not too old."""
    hook = _hook(request, pk)
    webhooks.enable(hook, by=request.actor)
    return hook


@endpoint("Disable a webhook", may=MANAGE, answers=WebhookOut)
def webhook_disable(request: Any, pk: int) -> Any:
    """Nothing is sent until it is enabled again."""
    hook = _hook(request, pk)
    webhooks.disable(hook, by=request.actor)
    return hook


@endpoint("Rotate a webhook's secret", may=MANAGE, answers=SecretOut, is_secret=True)
def webhook_rotate(request: Any, pk: int) -> Any:
    """For 24 hours the one before signs too."""
    return Response({"secret": webhooks.rotate(_hook(request, pk), by=request.actor)})


@endpoint("Test a webhook", may=MANAGE, answers=DeliveryOut, status=202)
def webhook_test(request: Any, pk: int) -> Any:
    """Sends an event of the kind webhook.test."""
    return webhooks.send_test(_hook(request, pk), by=request.actor)


@endpoint("List a webhook's deliveries", may=MANAGE, answers=DeliveryOut, is_list=True)
def delivery_list(request: Any, pk: int) -> Any:
    """The newest first."""
    return page(request.query, _deliveries(request, pk), DeliveryOut)


@endpoint("See a delivery", may=MANAGE, answers=DeliveryDetail)
def delivery_detail(request: Any, pk: int, delivery: int) -> Any:
    """With its tries."""
    return get_object_or_404(_deliveries(request, pk), pk=delivery)


@endpoint("Send a delivery again", may=MANAGE, answers=DeliveryOut, status=202)
def delivery_send(request: Any, pk: int, delivery: int) -> Any:
    """The same event with the same id."""
    row = get_object_or_404(_deliveries(request, pk), pk=delivery)
    webhooks.send_again(row, by=request.actor)
    row.refresh_from_db()
    return row


def _hooks(request: Any) -> QuerySet[Webhook]:
    return Webhook.objects.visible_to(request.actor).filter(archived_at=None)


def _hook(request: Any, pk: int) -> Webhook:
    return get_object_or_404(_hooks(request).select_related("organization"), pk=pk)


def _deliveries(request: Any, pk: int) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.visible_to(request.actor).filter(webhook=_hook(request, pk))
