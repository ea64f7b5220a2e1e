from django.db import models
from django.utils.translation import gettext_lazy as _

from console.fields import KeyField
from console.tenancy import TenantModel


class Tag(TenantModel):
    """A label for devices. A device may carry several tags, and a tag may be on many devices."""

    name = models.CharField(_("Tag"), max_length=40)
    name_key = KeyField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name_key"], name="tag_name_unique")]

    def __str__(self) -> str:
        return self.name


class DeviceTag(models.Model):
    """One tag on one device."""

    tag = models.ForeignKey(Tag, models.CASCADE, related_name="device_tags")
    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="device_tags")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "device"], name="device_tag_unique")]

    def __str__(self) -> str:
        return f"{self.tag} on {self.device_id}"
