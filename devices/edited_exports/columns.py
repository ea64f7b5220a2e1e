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
    "device_name": _("Says which unit the row is. Leave it as it is."),
    "serial_number": _("Is compared and never changed."),
    "product": _("Is compared and never changed."),
    "status": _("Is compared and never changed."),
    "owner": _("Another name assigns or transfers the unit; an emptied cell unclaims it."),
    "owner_reference": _("Or name the new owner by your reference. The cell that you edit decides."),
    "tags": _("Between commas. They replace the tags that the unit has."),
    "notes": _("Replace the notes that the unit has."),
    "version": _("Tells what the unit was when it was exported. Leave it as it is."),
}
