"""The events of manifests."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.audit import subjects
from console.audit.kinds import Kind
from devices.events import PRODUCTS
from devices.models import ManifestImport

APPLIED = Kind(
    "manifest.applied", _("Manifest applied"), "file-spreadsheet", _("{actor} applied the manifest {subject}"), PRODUCTS
)

subjects.register(subjects.Subject(ManifestImport, page="devices:manifest_detail", may=Permission.DEVICE_IMPORT))
