"""What the pages of manifests need in addition to what all imports share."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from console.forms import Fields
from console.imports import Kind, pages
from console.imports.preview import ColumnsForm, UploadForm
from console.models import FileImport
from console.numbers import id_of
from console.requests import Request
from devices.fields import FIELDS
from devices.manifest.kind import COLUMNS
from devices.models import Product


class ManifestForm(UploadForm):
    """A manifest and the product that it is for."""

    fields: Fields
    product: "forms.ModelChoiceField[Product]" = forms.ModelChoiceField(
        None,
        label=_("Product"),
        empty_label=_("Choose a product"),
        error_messages={"required": _("Choose the product of the devices.")},
    )
    field_order = ("product", "file")

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        field = self.fields["product"]
        field.queryset = Product.objects.visible_to(request.actor).current().order_by("name_key")
        chosen = id_of(request.GET.get("product"))
        field.initial = _only(field.queryset) if chosen is None else chosen


class ManifestColumnsForm(ColumnsForm):
    """The columns, and how many digits the serial numbers have that Excel turned into numbers."""

    pad = forms.IntegerField(
        label=_("Digits of a serial number"), min_value=0, max_value=64, required=False, widget=forms.HiddenInput
    )

    def __init__(self, data: Any, row: FileImport, kind: type[Kind]) -> None:
        super().__init__(data, row, kind)
        self.is_about_padding = data is not None and "pad" in data
        if self.is_about_padding:
            self.fields = {"pad": self.fields["pad"]}
        else:
            self.fields.pop("pad", None)

    def reading(self) -> dict[str, Any]:
        """Return how the file is to be read from now on."""
        if self.is_about_padding:
            return {**self.row.reading, "pad": self.cleaned_data["pad"]}
        return super().reading()


def understood() -> list[tuple[Any, Any, str]]:
    """Return (label, what it must be, its other names) for each column that a manifest may have."""
    return pages.understood(COLUMNS, {field.name: field.meaning for field in FIELDS})


def _only(products: QuerySet[Any]) -> Product | None:
    """Return the product if there is exactly one to choose, else None."""
    found = list(products[:2])
    return found[0] if len(found) == 1 else None
