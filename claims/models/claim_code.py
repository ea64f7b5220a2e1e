import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from claims.models.claim_profile import ClaimProfile
from console.tenancy import TenantModel
from devices.models import Device


class ClaimCode(TenantModel):
    """A printed code: a link and a typed code, of a profile or of one device.

    Neither is stored. Both are derived from `id`, `version` and the server key `key_id`, and the row keeps only their
    SHA-256. So a label can be printed again, and nothing can be redeemed with a copy of the database. Raising the
    version invalidates what was printed. The id is random because it is chosen before the row exists, so that both
    hashes can be part of the same insert.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.ForeignKey(ClaimProfile, models.PROTECT, related_name="codes")
    device = models.ForeignKey(Device, models.PROTECT, null=True, blank=True, related_name="claim_codes")
    version = models.PositiveIntegerField(default=1)
    key_id = models.CharField(max_length=16)
    link_sha256 = models.CharField(max_length=64, unique=True)
    typed_sha256 = models.CharField(max_length=64, unique=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["profile"], condition=Q(device__isnull=True), name="claim_code_one_of_profile"
            ),
            models.UniqueConstraint(
                fields=["profile", "device"], condition=Q(device__isnull=False), name="claim_code_one_of_unit"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
