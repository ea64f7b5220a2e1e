from django.db import models
from django.urls import reverse
from django.utils import timezone

from console.models import Operation
from console.tenancy import TenantModel
from devices.models.product import Product


class ManifestImport(TenantModel):
    """A factory manifest that was uploaded: its file, how its columns are read, and what the check found.

    The file is kept as it came and read again when it is applied, so nothing half done lies anywhere.
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="imports")
    file_name = models.CharField(max_length=200)
    stored_as = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    # {"sheet": …, "header_row": …, "mapping": {index: column}, "pad_serials_to": n or null}
    reading = models.JSONField(default=dict)
    # {"new": n, "unchanged": n, "changed": n, "refused": n, "notices": {...}, "dialect": "..."}; empty until checked
    summary = models.JSONField(default=dict)
    checked_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)
    operation = models.ForeignKey(Operation, models.PROTECT, null=True, related_name="+")
    by_label = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="manifest_by_organization")]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("devices:manifest_detail", args=[self.pk])
