"""Forms of products and devices, and of assigning devices."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from console import slugs
from console.access import Actor
from console.fields import fold
from console.forms import Fields, ModelForm, TextGuard, closed_field
from customers.directory.fields import CustomerField
from customers.models import Customer, CustomerKind
from devices import identifiers, tags
from devices.fields import OPEN
from devices.models import Device, OwnershipMode, Product


class ProductForm(TextGuard, ModelForm):
    """A product. An empty slug is derived from the name."""

    IMPLIED: ClassVar = {"ownership_mode": ["single_account"]}

    class Meta:
        model = Product
        formfield_callback = closed_field
        fields = [
            "name",
            "slug",
            "platform",
            "description",
            "ownership_mode",
            "single_account",
            "unowned_may_subscribe",
            "customers_may_take",
        ]
        widgets = {"description": forms.Textarea(attrs={"rows": 3}), "ownership_mode": forms.RadioSelect}

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        accounts = Customer.objects.visible_to(actor).current().filter(kind=CustomerKind.INTERNAL)
        self.fields["single_account"].queryset = accounts.order_by("name_key")
        self.fields["slug"].required = False
        self.fields["slug"].help_text = _("Used in links and the API. Leave empty to generate it from the name.")
        self.fields["ownership_mode"].choices = [
            (OwnershipMode.CUSTOMER, _("Customer: devices are assigned to or claimed by customers")),
            (OwnershipMode.SINGLE_ACCOUNT, _("Single account: new devices belong to one internal account")),
            (OwnershipMode.UNOWNED, _("Unowned: devices need no owner")),
        ]
        self.fields["single_account"].help_text = _("Only for “Single account” ownership.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("slug") and cleaned.get("name"):
            cleaned["slug"] = slugs.proposed(cleaned["name"], kind="product", longest=60)
        if cleaned.get("ownership_mode") == OwnershipMode.SINGLE_ACCOUNT and not cleaned.get("single_account"):
            self.add_error(
                "single_account", _("Choose the account. If there is none, create an internal customer first.")
            )
        if cleaned.get("ownership_mode") != OwnershipMode.SINGLE_ACCOUNT:
            cleaned["single_account"] = None
        slugs.refuse_number(self)
        self._check_unique("slug", Q(slug=cleaned.get("slug")), _("Another product has this slug."))
        self._check_unique("name", Q(name_key=fold(cleaned.get("name", ""))), _("Another product has this name."))
        return cleaned

    def _check_unique(self, field: str, condition: Q, sentence: Any) -> None:
        others = Product.objects.visible_to(self.actor).exclude(pk=self.instance.pk)
        if field not in self.errors and others.filter(condition).exists():
            self.add_error(field, sentence)

    def _post_clean(self) -> None:
        """Skip the model's own checks: the action writes the row, and the form only checks its input."""


class TagsField(forms.CharField):
    """Tags, separated by commas."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # the text is read as a list
        try:
            return tags.read(super().to_python(value) or "")
        except identifiers.Unfit as unfit:
            raise ValidationError(unfit.sentence) from None

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


class DeviceForm(ModelForm):
    """A device. Its identifiers are cleaned and checked as in a manifest."""

    fields: Fields
    tags = TagsField(label=_("Tags"), required=False, help_text=_("Separated by commas."))

    UNIQUE = {
        "serial_number": ("serial_key", _("This serial number is already registered.")),
        "device_name": ("name_key", _("This device name is already registered.")),
        "iccid": ("iccid", _("This ICCID is already registered.")),
        "mac": ("mac", _("This MAC is already registered.")),
    }

    class Meta:
        model = Device
        formfield_callback = closed_field
        fields = ["product", *(field.name for field in OPEN)]
        widgets = {"manufactured_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["product"].queryset = Product.objects.visible_to(actor).current().order_by("name_key")
        if self.instance.pk:
            self.fields["product"].disabled = True
            self.fields["product"].queryset = Product.objects.visible_to(actor)
            self.initial["tags"] = [tag.tag.name for tag in self.instance.device_tags.select_related("tag")]

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        for field in OPEN:
            text = cleaned.get(field.name)
            # Dates, flags and tags were already read by their form fields.
            if text and isinstance(text, str):
                try:
                    cleaned[field.name] = field.clean(text)
                except identifiers.Unfit as unfit:
                    self.add_error(field.name, unfit.sentence)
        for name in set(self.UNIQUE) - set(self.errors):
            if cleaned.get(name):
                self._check_unique(name, cleaned)
        return cleaned

    def _check_unique(self, name: str, cleaned: dict[str, Any]) -> None:
        column, sentence = self.UNIQUE[name]
        value = fold(cleaned[name]) if column.endswith("_key") else cleaned[name]
        others = Device.objects.visible_to(self.actor).exclude(pk=self.instance.pk).filter(**{column: value})
        if name == "serial_number":
            others = others.filter(product=cleaned.get("product"))
        if others.exists():
            self.add_error(name, sentence)

    def _post_clean(self) -> None:
        """Skip the model's own checks: the action writes the row, and the form only checks its input."""


class AssignForm(forms.Form):
    """The customer to whom devices are assigned, and a note for the history."""

    fields: Fields
    customer = CustomerField(label=_("Customer"), help_text=_("Start typing a name."))
    note = forms.CharField(label=_("Note"), max_length=500, required=False, help_text=_("Shown in the history."))

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = Customer.objects.visible_to(actor).current()
