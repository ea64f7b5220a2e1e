from django.db import models
from django.urls import reverse

from console.models import FileImport


class CustomerImport(FileImport):
    """An uploaded file of customers."""

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="customer_import_by_org")]

    def get_absolute_url(self) -> str:
        return reverse("customers:customer_import_detail", args=[self.pk])
