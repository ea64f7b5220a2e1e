"""The REST API of webhooks and their deliveries."""

from collections.abc import Callable
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from console.access import Permission
from console.audit import public
from console.errors import Refused, problem
from console.models import Webhook, WebhookAttempt, WebhookDelivery
from console.models.webhook import DeliveryState
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Id, Text
from console.rest.paging import PageQuery, page
from console.webhooks import actions, kept, log, scopes

TAG = "webhooks"

MANAGE = Permission.WEBHOOK_MANAGE


class WebhookCustomer(serializers.Serializer):
    """The customer that a webhook is bound to."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class WebhookProduct(WebhookCustomer):
    """The product that a webhook is bound to."""

    slug = serializers.CharField()


class WebhookOut(serializers.ModelSerializer):
    """A webhook, without its secret. If product and customer are both null, it belongs to the organization."""

    events = serializers.ListField(child=serializers.CharField())
    message_names = serializers.ListField(child=serializers.CharField())
    product = serializers.SerializerMethodField()
    customer = serializers.SerializerMethodField()
    kept = serializers.IntegerField(
        help_text="The number of events from while it was disabled that are waiting to be sent or discarded."
    )
    kept_since = serializers.DateTimeField(
        allow_null=True, help_text="When the first of them happened; null if there are none."
    )
    kept_dropped = serializers.IntegerField(
        help_text="How many older events were dropped. Only the newest 10,000 are kept, and only for some days."
    )

    class Meta:
        model = Webhook
        fields = [
            "id",
            "url",
            "description",
            "events",
            "message_names",
            "product",
            "customer",
            "is_enabled",
            "disabled_at",
            "disabled_reason",
            "failing_since",
            "kept",
            "kept_since",
            "kept_dropped",
            "created_at",
        ]

    @extend_schema_field(WebhookProduct(allow_null=True))
    def get_product(self, hook: Any) -> dict[str, Any] | None:
        """The product with its current name."""
        if not hook.product_id:
            return None
        return {"id": hook.product_id, "name": hook.product_name, "slug": hook.product_slug}

    @extend_schema_field(WebhookCustomer(allow_null=True))
    def get_customer(self, hook: Any) -> dict[str, Any] | None:
        """The customer with their current name."""
        return {"id": hook.customer_id, "name": hook.customer_name} if hook.customer_id else None


class WebhookMade(WebhookOut):
    """A webhook that was just created, with its secret. The secret is not shown again."""

    secret = serializers.SerializerMethodField()

    class Meta(WebhookOut.Meta):
        fields = [*WebhookOut.Meta.fields, "secret"]

    def get_secret(self, hook: Webhook) -> str:
        """The secret in the form `whsec_…`, as defined by Standard Webhooks."""
        return actions.secret(hook)


class SecretOut(serializers.Serializer):
    """The new secret of a webhook."""

    secret = serializers.CharField()


class EventField(serializers.ChoiceField):
    """An event that a webhook can subscribe to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[event.name for event in public.offered()], **kwargs)


class DeliveryKindField(serializers.ChoiceField):
    """An event that can be sent, including the test event."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[event.name for event in public.in_order()], **kwargs)


class WebhookEdit(Body):
    """The properties of a webhook that can be changed."""

    url = Text(max_length=500)
    description = Text(max_length=200, required=False, allow_blank=True)
    events = serializers.ListField(child=EventField(), min_length=1, max_length=30)
    message_names = serializers.ListField(
        child=Text(max_length=64),
        required=False,
        max_length=100,
        help_text="Limits the event message to these names. If empty, all messages are sent.",
    )


class WebhookIn(WebhookEdit):
    """A new webhook of the organization, of one product, or of one customer."""

    product = Text(required=False, allow_null=True, max_length=60, help_text="The ID or the slug.")
    customer = Id(required=False, allow_null=True)


class EnableIn(Body):
    """How to handle the events that were kept while the webhook was disabled."""

    kept = serializers.ChoiceField(
        choices=[(actions.SEND, "Send it"), (actions.DISCARD, "Discard it"), (actions.LATER, "Decide later")],
        required=False,
        default=actions.LATER,
    )


class KeptOut(serializers.Serializer):
    """The result of sending or discarding kept events."""

    count = serializers.IntegerField(help_text="The number of events.")


class AttemptOut(serializers.ModelSerializer):
    """One attempt to send a delivery. Without a status there was no answer. `error` is empty if it succeeded."""

    class Meta:
        model = WebhookAttempt
        fields = ["at", "status", "milliseconds", "error", "response"]


class DeliveryOut(serializers.ModelSerializer):
    """One event that is sent to a receiver, with its current state."""

    state = serializers.ChoiceField(choices=DeliveryState.choices)
    payload = serializers.CharField()
    attempts = serializers.IntegerField(
        source="tries_made", help_text="All attempts, including those before it was sent again."
    )

    class Meta:
        model = WebhookDelivery
        fields = ["id", "message_id", "kind", "state", "payload", "attempts", "next_at", "created_at"]


class DeliveryDetail(DeliveryOut):
    """A delivery with its attempts (`tries`), newest first."""

    tries = serializers.SerializerMethodField()

    class Meta(DeliveryOut.Meta):
        fields = [*DeliveryOut.Meta.fields, "tries"]

    def get_tries(self, delivery: WebhookDelivery) -> list[dict[str, Any]]:
        """The last hundred attempts, newest first."""
        return AttemptOut(delivery.tries.order_by("-pk")[:100], many=True).data


class DeliveryQuery(PageQuery):
    """Filters for the list of deliveries."""

    state = serializers.ChoiceField(choices=DeliveryState.choices, required=False)
    kind = DeliveryKindField(required=False)


@endpoint("List webhooks", may=MANAGE, answers=WebhookOut, is_list=True)
def webhook_list(request: Any) -> Any:
    """Return the webhooks that have not been removed, whether enabled or disabled."""
    return page(request.query, _hooks(request), WebhookOut)


@endpoint(
    "Create a webhook",
    may=MANAGE,
    takes=WebhookIn,
    answers=WebhookMade,
    status=201,
    is_secret=True,
    example={"url": "https://example.com/hooks", "events": ["device.assigned", "device.unclaimed"]},
)
def webhook_create(request: Any) -> Any:
    """Create a webhook. The response contains its secret, which is shown only once."""
    body = dict(request.body_data)
    product, customer = body.pop("product", None), body.pop("customer", None)

    def make() -> Webhook:
        product_id = scopes.named("product", product, by=request.actor) if product is not None else None
        hook = actions.create(by=request.actor, product_id=product_id, customer_id=customer, **body)
        return _hook(request, hook.pk)

    return _at_field(make)


@endpoint("See a webhook", may=MANAGE, answers=WebhookOut)
def webhook_detail(request: Any, pk: int) -> Any:
    """Return one webhook, without its secret."""
    return _hook(request, pk)


@endpoint("Edit a webhook", may=MANAGE, takes=WebhookEdit, answers=WebhookOut)
def webhook_edit(request: Any, pk: int) -> Any:
    """Change a webhook. Omitted properties keep their values. The product or customer it is bound to never changes."""
    hook = _hook(request, pk)
    return _at_field(lambda: actions.edit(hook, by=request.actor, **request.body_data))


@endpoint("Remove a webhook", may=MANAGE)
def webhook_remove(request: Any, pk: int) -> None:
    """Remove a webhook permanently and give up its waiting deliveries. Owners and administrators are emailed."""
    actions.remove(_hook(request, pk), by=request.actor)


@endpoint("Enable a webhook", may=MANAGE, takes=EnableIn, answers=WebhookOut)
def webhook_enable(request: Any, pk: int) -> Any:
    """Enable a webhook.

    Deliveries that were waiting when it was disabled are sent. Events that happened since then were kept; `kept` says
    whether to send them, discard them, or decide later.
    """
    actions.enable(_hook(request, pk), then=request.body_data.get("kept", actions.LATER), by=request.actor)
    return _hook(request, pk)


@endpoint("Disable a webhook", may=MANAGE, answers=WebhookOut)
def webhook_disable(request: Any, pk: int) -> Any:
    """Disable a webhook.

    Nothing is sent until it is enabled again; events are kept for some days meanwhile. Owners and administrators are
    emailed.
    """
    actions.disable(_hook(request, pk), by=request.actor)
    return _hook(request, pk)


@endpoint("Send what was kept for a webhook", may=MANAGE, answers=KeptOut, status=202)
def webhook_kept_send(request: Any, pk: int) -> Any:
    """Send the events kept while the webhook was disabled, in order.

    A customer's webhook gets only what that customer may still read.
    """
    return {"count": actions.send_kept(_hook(request, pk), by=request.actor)}


@endpoint("Discard what was kept for a webhook", may=MANAGE, answers=KeptOut)
def webhook_kept_discard(request: Any, pk: int) -> Any:
    """Discard the kept events. They stay in the log of deliveries for a while, marked as discarded."""
    return {"count": actions.discard_kept(_hook(request, pk), by=request.actor)}


@endpoint("Rotate a webhook's secret", may=MANAGE, answers=SecretOut, is_secret=True)
def webhook_rotate(request: Any, pk: int) -> Any:
    """Create a new secret and return it. The previous secret also signs for another 24 hours."""
    return Response({"secret": actions.rotate(_hook(request, pk), by=request.actor)})


@endpoint("Test a webhook", may=MANAGE, answers=DeliveryOut, status=202)
def webhook_test(request: Any, pk: int) -> Any:
    """Send a test event of the kind webhook.test."""
    sent = actions.send_test(_hook(request, pk), by=request.actor)
    return _deliveries(request, pk).get(pk=sent.pk)


@endpoint("List a webhook's deliveries", may=MANAGE, query=DeliveryQuery, answers=DeliveryOut, is_list=True)
def delivery_list(request: Any, pk: int) -> Any:
    """Return the deliveries of a webhook, newest first."""
    wanted = {name: request.query[name] for name in ("state", "kind") if request.query.get(name)}
    return page(request.query, _deliveries(request, pk).filter(**wanted), DeliveryOut)


@endpoint("See a delivery", may=MANAGE, answers=DeliveryDetail)
def delivery_detail(request: Any, pk: int, delivery: int) -> Any:
    """Return one delivery with its attempts."""
    return get_object_or_404(_deliveries(request, pk), pk=delivery)


@endpoint("Send a delivery again", may=MANAGE, answers=DeliveryOut, status=202)
def delivery_send(request: Any, pk: int, delivery: int) -> Any:
    """Send the same event again, with the same id."""
    row = get_object_or_404(_deliveries(request, pk), pk=delivery)
    actions.send_again(row, by=request.actor)
    return _deliveries(request, pk).get(pk=row.pk)


def _at_field(act: Callable[[], Any]) -> Any:
    """Return the result of `act`; a refusal about a field becomes a problem that names the field and keeps its code."""
    try:
        return act()
    except Refused as refusal:
        if refusal.code not in actions.FIELDS:
            raise
        errors = [{"field": actions.FIELDS[refusal.code], "detail": refusal.sentence}]
        return problem(refusal.code, refusal.sentence, refusal.status, errors=errors)


def _hooks(request: Any) -> QuerySet[Webhook]:
    """Return the visible webhooks with the names of their products or customers, in one query."""
    called = {}
    for scope in scopes.in_order():
        mine = scope.rows(request.actor).filter(pk=OuterRef(f"{scope.name}_id"))
        for name in scope.fields:
            called[f"{scope.name}_{name}"] = Subquery(mine.values(name))
    return kept.counted(Webhook.objects.visible_to(request.actor).filter(archived_at=None)).annotate(**called)


def _hook(request: Any, pk: int) -> Webhook:
    return get_object_or_404(_hooks(request).select_related("organization"), pk=pk)


def _deliveries(request: Any, pk: int) -> QuerySet[WebhookDelivery]:
    return log.counted(WebhookDelivery.objects.visible_to(request.actor).filter(webhook=_hook(request, pk)))
