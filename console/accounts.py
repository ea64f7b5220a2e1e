"""How people sign in: members with a password and a second step or a passkey, customers with a code by mail.

Every link in a mail is built from the configured base URL, whatever host the request named.
"""

import time
from typing import Any
from urllib.parse import quote, urlsplit

from allauth.account import app_settings as account_settings
from allauth.account import forms as account_forms
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.utils import perform_login
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from console import throttle
from console.actions import accounts
from console.errors import Refused
from console.fields import fold
from console.models import User

# Tells whether this session holds a claim code, for which somebody unknown may make an account. Reached by name.
PENDING_CLAIM = "claims.session.has_pending"


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by a form; six digits by mail; where to go after signing in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def generate_login_code(self) -> str:
        return get_random_string(6, "0123456789")

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("claim:review" if import_string(PENDING_CLAIM)(request) else "console:home")

    def is_safe_url(self, url: str) -> bool:
        """Whether it is a path of this host; allauth stumbles over a broken address."""
        try:
            return url.startswith("/") and super().is_safe_url(url)
        except ValueError:
            return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not again for who has just signed in: a new member sets up the second step as the next thing."""
        records = get_authentication_records(context.request, context.request.user)
        if records and time.time() - records[-1]["at"] < account_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return super().is_reauthentication_required(app=app, **kwargs)

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        super().send_mail(template_prefix, email, {"base_url": settings.BASE_URL, **context})

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict | None = None, email: str | None = None
    ) -> None:
        # To the address that people sign in with, also where the library has no row of its own for it.
        super().send_notification_mail(template_prefix, user, context, email or user.email)

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.BASE_URL + path.replace("UID-KEY", quote(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return settings.BASE_URL + reverse("account_confirm_email", args=[emailconfirmation.key])


def sign_in(request: HttpRequest, user: Any) -> HttpResponse:
    """Sign in who has just chosen a password, and redirect; the password is not asked for again at once."""
    record_authentication(request, user, method="password")
    return perform_login(request, user, email_verification="none")


class MfaAdapter(DefaultMFAAdapter):
    """Passkeys belong to the host of the base URL, and are called passkeys."""

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.BASE_URL).hostname or "localhost", "name": "Custody"}

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _now("Passkey %(n)d") % {"n": count + 1} if count else _now("Passkey")


class _Plain:
    """Labels say what a field is; a placeholder that repeats them is noise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # type: ignore[attr-defined]
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_Plain, account_forms.LoginForm):
    """Address and password."""


class ResetPasswordForm(_Plain, account_forms.ResetPasswordForm):
    """The address to mail a link to."""


class ResetPasswordKeyForm(_Plain, account_forms.ResetPasswordKeyForm):
    """A new password, after the mailed link."""


class ChangePasswordForm(_Plain, account_forms.ChangePasswordForm):
    """The password and a new one."""


class SetPasswordForm(_Plain, account_forms.SetPasswordForm):
    """A first password."""


class ReauthenticateForm(_Plain, account_forms.ReauthenticateForm):
    """The password once more, before something that matters."""


class AddPasskeyForm(_Plain, AddWebAuthnForm):
    """The name of a new passkey, and whether it alone is enough."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["name"].help_text = _("To tell it from others: “Laptop”, “Blue key”.")
        self.fields["name"].max_length = 60
        self.fields["name"].widget.attrs["maxlength"] = 60
        self.fields["passwordless"].label = _("Sign in with it alone, without a password")
        self.fields["passwordless"].help_text = _("It must ask you for a fingerprint, your face or a PIN.")
        self.fields["passwordless"].initial = True


class RequestCodeForm(account_forms.RequestLoginCodeForm):
    """Asks for an address and mails a code to it. With a claim code at hand, an unknown address becomes an account.

    The account can do nothing until its owner has proved the address with the code.
    """

    _user: User | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs.update(
            {"autocomplete": "email", "inputmode": "email", "placeholder": ""}
        )

    def clean_email(self) -> str:
        email, address = fold(self.cleaned_data["email"]), throttle.address_of(context.request)
        _spend("login-code", f"{address} {email}", limit=6, seconds=600)
        _spend("login-code-day", f"{address} {email}", limit=20, seconds=86400)
        # With five guesses at each code, a day of tries from all the world finds it in one of 2,000 accounts.
        _spend("login-code-day", email, limit=100, seconds=86400)
        email = super().clean_email()
        if email and self._user is None and import_string(PENDING_CLAIM)(context.request):
            self._user = accounts.find_or_make(email)
        # To the address that is on record, never to a twin of it that somebody typed.
        return self._user.email if self._user else email.lower()


class ConfirmCodeForm(account_forms.ConfirmLoginCodeForm):
    """Takes the six digits. Five guesses at each code are counted in the database, so that a volley counts too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Six-digit code")
        self.fields["code"].widget.attrs = {
            "autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 6, "pattern": "[0-9]*",
        }  # fmt: skip

    def clean_code(self) -> str:
        state = context.request._login_stage.state
        _spend("login-code-guess", f"{state.get('email')} {state['at']}", limit=5, seconds=3600)
        try:
            return super().clean_code()
        except ValidationError:
            raise ValidationError(_("This is not the code. Take it from the newest mail.")) from None


def _spend(scope: str, who: str, *, limit: int, seconds: int) -> None:
    """Count one try; too many are an error of the field."""
    try:
        throttle.spend(scope, who, limit=limit, seconds=seconds)
    except Refused as refusal:
        raise ValidationError(refusal.sentence) from None
