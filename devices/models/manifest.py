from django.db import models
from django.urls import reverse

from console.models import FileImport
from devices.models.product import Product


class ManifestImport(FileImport):
    """A factory manifest that was uploaded for a product.

    `reading` may hold "pad": the number of digits to which serial numbers are zero-filled if Excel turned them into
    numbers, or 0 if they are right as they are.
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="imports")

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="manifest_by_organization"),
            models.Index(fields=["organization", "sha256"], name="manifest_by_file"),
        ]

    def get_absolute_url(self) -> str:
        return reverse("devices:manifest_detail", args=[self.pk])
