from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.constraints import AppendOnly, InOrder, Undeletable
from console.tenancy import TenantModel

HEAD = models.Q(is_head=True)


class Event(TenantModel):
    """A line of the audit log: append-only, written in the same transaction as the change that it describes.

    No foreign key leads to a live row: kind, id and label of the subject are copied, and so are the actor's. The object
    is the other party, if there is one (the customer to whom a device was assigned). `data` holds `{field: [old,
    new]}`, and whatever else the sentence needs.
    """

    # Every index below begins with the organization, or with something more specific. Organizations are never deleted,
    # so no constraint has to check each of a hundred thousand lines.
    organization = models.ForeignKey(
        "console.Organization", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    at = models.DateTimeField(default=timezone.now, editable=False)
    kind = models.CharField(_("What"), max_length=40)
    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    subject_label = models.CharField(max_length=200)
    object_kind = models.CharField(max_length=20, blank=True)
    object_id = models.BigIntegerField(null=True)
    object_label = models.CharField(max_length=200, blank=True)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(_("Who"), max_length=200)
    data = models.JSONField(default=dict)
    # Shared by all lines of one act; for an operation, by the lines of all its chunks.
    act = models.UUIDField(null=True)
    operation_id = models.BigIntegerField(null=True)
    # The first line of an act for each kind and other party represents the others in lists.
    is_head = models.BooleanField(default=True)

    class Meta:
        constraints = [
            AppendOnly(name="event_append_only"),
            Undeletable(name="event_undeletable"),
            InOrder(name="event_in_order"),
        ]
        indexes = [
            models.Index(fields=["organization", "-at", "-id"], name="event_by_time"),
            models.Index(fields=["organization", "kind", "-at", "-id"], name="event_by_kind"),
            models.Index(fields=["organization", "actor_id", "-at", "-id"], name="event_by_actor"),
            models.Index(fields=["subject_kind", "subject_id", "-at", "-id"], name="event_by_subject"),
            models.Index(
                fields=["object_kind", "object_id", "-at", "-id"],
                name="event_by_object",
                condition=models.Q(object_id__isnull=False),
            ),
            models.Index(
                fields=["act", "kind", "object_id", "id"], name="event_by_act", condition=models.Q(act__isnull=False)
            ),
            # For the list that shows one line for each act, with each of its filters.
            models.Index(fields=["organization", "-at", "-id"], name="event_heads", condition=HEAD),
            models.Index(fields=["organization", "kind", "-at", "-id"], name="event_heads_by_kind", condition=HEAD),
            models.Index(
                fields=["organization", "actor_id", "-at", "-id"], name="event_heads_by_actor", condition=HEAD
            ),
            models.Index(
                fields=["object_kind", "object_id", "-at", "-id"],
                name="event_heads_by_object",
                condition=HEAD & models.Q(object_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_label}"
