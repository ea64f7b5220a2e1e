from django.db import models
from django.urls import reverse

from console.models import FileImport


class RoundTrip(FileImport):
    """An exported list of devices that was edited and uploaded.

    `reading` also holds "may": the permissions, as texts, of the person who had it checked. `operation` is the one that
    checked it last and, after it was applied, the one that applied it.
    """

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="roundtrip_by_organization"),
            models.Index(fields=["organization", "sha256"], name="roundtrip_by_file"),
        ]

    def get_absolute_url(self) -> str:
        return reverse("devices:device_changes_detail", args=[self.pk])
