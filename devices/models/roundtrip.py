from django.db import models
from django.urls import reverse

from console.models import FileImport


class RoundTrip(FileImport):
    """An exported list of devices that came back edited.

    `reading` holds "may" besides: the rights of who had it checked, as texts. `operation` is what checked it last and,
    once it is applied, what applied it.
    """

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="roundtrip_by_organization"),
            models.Index(fields=["organization", "sha256"], name="roundtrip_by_file"),
        ]

    def get_absolute_url(self) -> str:
        return reverse("devices:device_changes_detail", args=[self.pk])
