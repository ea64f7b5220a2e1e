from typing import ClassVar, Self
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.fields import Words
from console.tenancy import TenantModel, TenantQuerySet


class DeliveryState(Words):
    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed, will be retried")
    GIVEN_UP = "given_up", _("Given up")
    KEPT = "kept", _("Kept while disabled")
    DISCARDED = "discarded", _("Discarded")


def shortened(url: str) -> str:
    """Return the address up to its host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class WebhookQuerySet(TenantQuerySet["Webhook"]):
    def current(self) -> Self:
        """Return the webhooks that are not removed."""
        return self.filter(archived_at=None)


class Webhook(TenantModel):
    """A receiver of an organization, and what it is notified of: everything, one product, or one customer.

    Product and customer are named by id only: the foundation does not know them. `scope_label` is the name that they
    had. The secret is never stored: it is derived from `seed` and a server key, see `console.webhooks.signing`; until
    `old_seed_until` the previous secret signs too.
    """

    url = models.CharField(_("Address"), max_length=500)
    description = models.CharField(_("Description"), max_length=200, blank=True)
    events = models.JSONField(_("Events"), default=list)
    # Only messages with one of these names are sent; empty for all.
    message_names = models.JSONField(_("Message names"), default=list)
    product_id = models.BigIntegerField(null=True)
    customer_id = models.BigIntegerField(null=True)
    scope_label = models.CharField(max_length=200, blank=True)
    # The API key that created it, or that last changed its address: a person who revokes the key is shown the webhooks
    # that remain.
    key_id = models.BigIntegerField(null=True)
    seed = models.CharField(max_length=80)
    old_seed = models.CharField(max_length=80, blank=True)
    old_seed_until = models.DateTimeField(null=True)
    is_enabled = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    # Events that happened while it was disabled wait for somebody to send or discard them. Older ones, and those beyond
    # the maximum, were dropped: how many since the last decision.
    awaits_decision = models.BooleanField(default=False)
    kept_dropped = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True)

    objects: ClassVar = WebhookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(product_id__isnull=True) | Q(customer_id__isnull=True), name="webhook_of_one_thing"
            ),
            models.CheckConstraint(
                condition=Q(archived_at__isnull=True) | Q(is_enabled=False), name="webhook_removed_is_disabled"
            ),
        ]
        indexes = [models.Index(fields=["organization"], name="webhook_in_use", condition=Q(archived_at__isnull=True))]

    def __str__(self) -> str:
        # Without its path, which is a secret with some receivers: the label appears in the log.
        return shortened(self.url)

    def get_absolute_url(self) -> str:
        return reverse("console:webhook_detail", args=[self.pk])

    @property
    def scope(self) -> str:
        """ "organization", "product" or "customer"."""
        if self.product_id:
            return "product"
        return "customer" if self.customer_id else "organization"


class WebhookDelivery(TenantModel):
    """One event for one webhook, written in the transaction of the event and sent by a worker.

    Deliveries that arise while the webhook is disabled are kept, see `console.webhooks.kept`.

    `message_id` stays the same over all attempts, and so does `payload`, byte by byte. `next_at` is when it is tried
    next, empty if it is not; a worker that tries it holds it by `leased_by` until `leased_until`.
    """

    # Workers go through these by webhook; the organization is only for visible_to.
    organization = models.ForeignKey(
        "console.Organization", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    webhook = models.ForeignKey(Webhook, models.PROTECT, related_name="deliveries", db_index=False)
    message_id = models.CharField(max_length=40)
    kind = models.CharField(_("Event"), max_length=40)
    payload = models.TextField()
    label = models.CharField(max_length=200, blank=True)
    # The device that it concerns: a message outside of the customer's span at the moment of sending is not sent.
    device_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    state = models.CharField(
        _("State"), max_length=10, choices=DeliveryState.get_choices, default=DeliveryState.WAITING
    )
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True, default=timezone.now)
    leased_by = models.CharField(max_length=80, blank=True)
    leased_until = models.DateTimeField(null=True)
    # Which of that worker's lines sends it. The busy lines of a webhook are counted by this.
    line = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at", "id"], name="webhook_next", condition=Q(next_at__isnull=False, leased_by="")
            ),
            models.Index(
                fields=["webhook", "next_at", "id"],
                name="webhook_lane",
                condition=Q(next_at__isnull=False, leased_by=""),
            ),
            # Covers every query about deliveries that are being sent.
            models.Index(fields=["leased_by", "webhook", "line"], name="webhook_busy", condition=~Q(leased_by="")),
            models.Index(fields=["webhook", "-id"], name="webhook_log"),
            models.Index(fields=["webhook", "state", "-id"], name="webhook_log_by_state"),
            models.Index(fields=["webhook", "kind", "-id"], name="webhook_log_by_kind"),
        ]

    def __str__(self) -> str:
        return self.message_id

    def get_absolute_url(self) -> str:
        return reverse("console:webhook_delivery", args=[self.webhook_id, self.pk])


class WebhookAttempt(models.Model):
    """An attempt to send a delivery: what the receiver answered, or why it could not."""

    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="tries")
    at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True)
    milliseconds = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    response = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.status or self.error}"

    @property
    def is_success(self) -> bool:
        """Whether the receiver accepted it."""
        return self.status is not None and 200 <= self.status < 300
