"""The columns that an edited export may have."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from console.columns import Column
from devices.fields import BY_NAME

# What people may change of a device by editing an export. No more fields can be added: each of these is a part of the
# version in the last column, and another part would invalidate all files exported before.
EDITED = ("tags", "notes")


def _column(name: str, label: Any, aliases: str) -> Column:
    return Column(name, label, tuple(aliases.split(", ")))


COLUMNS = (
    BY_NAME["device_name"].as_column,
    BY_NAME["serial_number"].as_column,
    _column("product", _("Product"), "Product name, Model, Produkt, Produktname, Modell"),
    _column("status", _("Status"), "State, Device status, Zustand"),
    _column("owner", _("Owner"), "Customer, Owner name, Customer name, Besitzer, Eigentümer, Kunde, Kundenname"),
    _column(
        "owner_reference",
        _("Owner's reference"),
        "Owner reference, Customer reference, Customer number, Customer no, Customer ID, Referenz, Kundennr, "
        "Kundennummer",
    ),
    # Fewer aliases than in a manifest: the cells replace the tags, so no column with another meaning may be taken for
    # them.
    _column("tags", BY_NAME["tags"].label, "Tag, Labels, Etiketten, Schlagwörter, Stichwörter"),
    BY_NAME["notes"].as_column,
    _column("version", _("As exported"), "Version, Row version, Stand, Fassung"),
)
LABELS = {column.name: column.label for column in COLUMNS}

# What people may do with each column, for the page where they begin.
MEANINGS = {
    "device_name": _("Identifies the device. Don't change it."),
    "serial_number": _("Read-only."),
    "product": _("Read-only."),
    "status": _("Read-only."),
    "owner": _("A different name assigns or transfers the device. An empty cell unclaims it."),
    "owner_reference": _("Your reference for the new owner, instead of the name. The cell you edit decides."),
    "tags": _("Separated by commas. Replaces the tags of the device."),
    "notes": _("Replaces the notes of the device."),
    "version": _("Identifies the state of the device at the time of the export. Don't change it."),
}
