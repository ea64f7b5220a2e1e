"""Forms look alike everywhere: every page writes `{{ form }}` and nothing else."""

import unicodedata
import zoneinfo
from collections.abc import Callable
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.password_validation import validate_password
from django.db import models
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from console import addresses, hosts
from console.errors import Refused
from console.models import Organization, Role, User
from console.requests import Request

T = TypeVar("T")

# Django's class takes its model as an argument, but only from the type checker.
if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm


class Renderer(TemplatesSetting):
    """Renders fields with the label above, the help below, and errors at the field."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"


def attempt(
    form: forms.BaseForm, act: Callable[[], T], *, field: str | None = None, only: type[Refused] = Refused
) -> T | None:
    """Return what `act` returns if the form is valid and nothing is refused, else None. Ignores unbound forms.

    A refusal is shown by the form, see `refuse`. Raises refusals that are not of the class `only`.
    """
    if not form.is_valid():
        return None
    try:
        return act()
    except only as refusal:
        refuse(form, refusal, field)
        return None


def refuse(form: Any, refusal: Refused, field: str | None = None) -> None:
    """Show a refusal in a form: by its own `refuse`, else at `field`, else above the fields."""
    if hasattr(form, "refuse"):
        form.refuse(refusal)
    else:
        form.add_error(field, refusal.sentence)


def page(request: HttpRequest, template: str, form: forms.BaseForm, /, **context: Any) -> HttpResponse:
    """Return the page with the form: to be filled in or previewed (200), or sent and not accepted (422)."""
    is_refused = form.is_bound and not form.is_valid()
    return render(request, template, {"form": form, **context}, status=422 if is_refused else 200)


def press(request: Request, row: Any, act: Callable[..., Any], said: str = "", *, to: Any = None) -> HttpResponse:
    """Answer a button: a POST runs `act(row, by=actor)` and shows `said`. Redirects to the row's page, or to `to`."""
    if request.method == "POST":
        act(row, by=request.actor)
        if said:
            messages.success(request, said)
    return redirect(row if to is None else to)


class ReasonForm(forms.Form):
    """Asks for the reason of an action that is not easily undone."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Shown in the history."),
    )


def closed_field(field: "models.Field[Any, Any]", **kwargs: Any) -> forms.Field | None:
    """Return the form field of a model's field, without rows to choose from. The form adds those that the actor sees.

    For `formfield_callback`. Without it, a model form offers all rows of a foreign key, including those of other
    organizations.
    """
    made = field.formfield(**kwargs)
    if isinstance(made, forms.ModelChoiceField):
        made.queryset = field.related_model._default_manager.none()  # type: ignore[union-attr]
    return made


def clean_text(value: str) -> str:
    """Return the text without surrounding white space.

    Raises ValidationError for invisible control and direction characters.
    """

    for character in value:
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} and character not in "\n\r\t\u200d\u00ad":
            raise forms.ValidationError(
                _("It contains an invisible control character (U+%(code)s)."), params={"code": f"{ord(character):04X}"}
            )
    return value.strip()


# The fields of a form by name. Which attributes a field has depends on its class, which Django's own type does not say.
Fields = dict[str, Any]


class TextGuard(forms.BaseForm):
    """Rejects invisible control characters in all text fields of a form. Passwords are accepted as they are."""

    fields: Fields

    def clean(self) -> Any:
        cleaned = super().clean()
        for name, value in list((cleaned or self.cleaned_data).items()):
            if isinstance(value, str) and not isinstance(self.fields[name].widget, forms.PasswordInput):
                try:
                    self.cleaned_data[name] = clean_text(value)
                except forms.ValidationError as error:
                    self.add_error(name, error)
        return self.cleaned_data


@cache
def zone_choices() -> list[tuple[str, Any]]:
    """Return the time zones, grouped by continent, UTC first."""
    names = sorted(name for name in zoneinfo.available_timezones() if name.partition("/")[0] in CONTINENTS)
    groups = groupby(names, key=lambda name: name.partition("/")[0])
    return [("UTC", "UTC"), *((area, [(name, name.replace("_", " ")) for name in each]) for area, each in groups)]


CONTINENTS = {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}


class PasswordField(forms.CharField):
    """A new password, shown as dots."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Password"))
        kwargs.setdefault("widget", forms.PasswordInput(attrs={"autocomplete": "new-password"}))
        super().__init__(strip=False, max_length=256, **kwargs)


def check_password(form: forms.Form, user: User) -> None:
    """Add an error at the form's password field for each rule that the password violates."""
    password = form.cleaned_data.get("password")
    if password:
        try:
            validate_password(password, user)
        except forms.ValidationError as error:
            form.add_error("password", error)


class AddressField(forms.EmailField):
    """An email address in the normal form, as accounts store it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Email address"))
        super().__init__(**kwargs)
        self.widget.attrs.update({"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"})

    def clean(self, value: Any) -> str:
        return addresses.normal(super().clean(value))


class SetupForm(TextGuard, forms.Form):
    """The first organization and its owner."""

    code = forms.CharField(
        label=_("Setup code"),
        max_length=100,
        help_text=_("The server printed it when it started."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    organization = forms.CharField(
        label=_("Organization"),
        max_length=120,
        help_text=_("The company that makes or sells the devices."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = AddressField(label=_("Your email address"))
    password = PasswordField(help_text=_("At least 10 characters. A few words are easy to remember."))
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, widget=forms.Select(attrs={"data-zone": ""})
    )
    requires_second_factor = forms.BooleanField(
        label=_("Require two-factor authentication"),
        required=False,
        initial=True,
        help_text=_("An authenticator app or a passkey, in addition to the password."),
    )

    def clean(self) -> Any:
        cleaned = super().clean()
        check_password(self, User(email=cleaned.get("email", ""), name=cleaned.get("name", "")))
        return cleaned


class JoinForm(TextGuard, forms.Form):
    """The name and password of an invited person who has no account."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = PasswordField(help_text=_("At least 10 characters. A few words are easy to remember."))

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> Any:
        cleaned = super().clean()
        check_password(self, User(email=self.email, name=cleaned.get("name", "")))
        return cleaned


class AccountForm(TextGuard, forms.Form):
    """A person's own name, language and time zone."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("Shown next to your actions in the activity log."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: Any, default_zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", _("Same as the browser")), *settings.LANGUAGES]
        self.fields["time_zone"].choices = [("", default_zone), *zone_choices()]


class LinkField(forms.URLField):
    """The https address of a public page."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(assume_scheme="https", **kwargs)
        self.widget.attrs.update({"placeholder": "https://", "inputmode": "url", "autocapitalize": "none"})

    def clean(self, value: Any) -> str:
        link = super().clean(value)
        if link and (not link.lower().startswith("https://") or "@" in urlsplit(link).netloc):
            raise forms.ValidationError(_("Enter a link that begins with https:// and has no user name in it."))
        return link


class OrganizationForm(TextGuard, ModelForm):
    """An organization's name, what it shows to customers, and what it requires of members."""

    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, help_text=_("For members who haven’t chosen one.")
    )

    class Meta:
        model = Organization
        fields = [
            "name",
            "time_zone",
            "requires_second_factor",
            "brand_name",
            "support_email",
            "support_phone",
            "support_note",
            "imprint_url",
            "privacy_url",
        ]
        field_classes = {"imprint_url": LinkField, "privacy_url": LinkField}
        help_texts = {
            "requires_second_factor": _(
                "An authenticator app or a passkey. Members without one set it up at their next sign-in."
            ),
            "brand_name": _(
                "Shown to customers on claim pages and in emails. Leave empty to use the organization's name."
            ),
            "support_email": _("Shown to customers when a claim is refused."),
            "support_note": _("For example, your opening hours."),
            "imprint_url": _("Linked on claim pages and in the portal, as German law requires."),
            "privacy_url": _("Linked next to it."),
        }


class LogoForm(forms.Form):
    """A picture for claim pages and the portal."""

    logo = forms.FileField(
        label=_("Logo"),
        help_text=_("PNG, JPEG or WebP. Shown up to 256 pixels wide."),
        widget=forms.ClearableFileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )


class DomainForm(forms.Form):
    """A host name that claim links may carry."""

    host = forms.CharField(
        label=_("Domain"),
        max_length=300,
        help_text=_("The host name only, such as claim.example.com."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "inputmode": "url"}
        ),
    )

    def clean_host(self) -> str:
        try:
            return hosts.parse(self.cleaned_data["host"])
        except Refused as refusal:
            raise forms.ValidationError(refusal.sentence, code=refusal.code) from None


class RoleForm(forms.Form):
    """The role of a member."""

    fields: Fields
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, roles: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles


class InvitationForm(RoleForm):
    """The address and role of a person to invite."""

    email = AddressField()
    field_order = ["email", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].initial = Role.VIEWER
