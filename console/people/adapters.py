"""Sign-in: members use a password with a second step, or a passkey; customers use an emailed code.

`console.people.allowances` decides how often signing in may be tried; the sign-in library's own limits are off.

Every link in an email is built from the configured base URL, whatever host the request named.
"""

import time
from typing import Any, cast
from urllib.parse import quote, urlsplit

from allauth.account import app_settings as account_settings
from allauth.account import forms as account_forms
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows import login as flows_login
from allauth.account.internal.flows.email_verification import verify_email_indirectly
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url, perform_login
from allauth.core import context as current
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from console import addresses, mail
from console.models import SignInLink, User
from console.people import allowances, browsers, errands
from console.people.actions import accounts, sign_in_links
from console.people.allowances import Way
from console.requests import Request

# Whether the last email that this session asked for contains six digits rather than a link.
MAILED = "mailed_digits"


class AccountAdapter(DefaultAccountAdapter):
    """Adapter of the sign-in library: no sign-up form, codes of six digits, and the page after signing in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Return the person with this address and password. The try is counted before it is checked."""
        give_back = allowances.password(request, credentials.get("email") or "")
        user = super().authenticate(request, **credentials)
        if user:
            give_back()
        return user

    def set_password(self, user: Any, password: str) -> None:
        """Set a password. Browsers that signed in with the old one become unknown."""
        accounts.sign_out_everywhere(user)
        super().set_password(user, password)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        browsers.remember(request, response, user)
        return response

    def generate_login_code(self) -> str:
        """Return six digits or, if the email contains a link instead, a secret that nobody sees or can guess."""
        by_digits = getattr(current.request, "mailed_way", None) is Way.DIGITS
        return get_random_string(6, "0123456789") if by_digits else get_random_string(43)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return errands.pending_url(cast(Request, request)) or reverse("console:home")

    def is_safe_url(self, url: str) -> bool:
        """Whether the URL is a path on this host. Guards against malformed URLs, on which allauth fails."""
        try:
            return url.startswith("/") and super().is_safe_url(url)
        except ValueError:
            return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether the person has to enter their password again.

        Not if they have just signed in, because a new member sets up the second step immediately afterwards.
        """
        records = get_authentication_records(current.request, current.request.user)
        if records and time.time() - records[-1]["at"] < account_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return super().is_reauthentication_required(app=app, **kwargs)

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send an email of the sign-in library, or the replacement that `allowances` has chosen."""
        request, more = current.request, {"base_url": settings.BASE_URL, **context}
        way = getattr(request, "mailed_way", Way.DIGITS)
        if way is Way.LINK:
            user = request.mailed_user
            more["link"] = sign_in_links.make(
                email,
                user=user,
                next_url=get_next_redirect_url(request) or "",
                carried=errands.take(request),
            )
            template_prefix = "account/email/login_link" if user else template_prefix
        if way is not Way.NOTHING:
            return super().send_mail(template_prefix, email, more)
        site = {"request": request, "email": email, "current_site": None}
        mail.withhold(self.render_mail(template_prefix, email, {**site, **more}))

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        # To the person's sign-in address, even if the library has no row for it.
        super().send_notification_mail(template_prefix, user, context, email or user.email)

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.BASE_URL + path.replace("UID-KEY", quote(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return settings.BASE_URL + reverse("account_confirm_email", args=[emailconfirmation.key])


def sign_in(request: HttpRequest, user: Any) -> HttpResponse:
    """Sign in a person who has just chosen a password, and redirect. The password is not asked for again at once."""
    record_authentication(request, user, method="password")
    return perform_login(request, user, email_verification="none")


def sign_in_by_link(request: Request, link: SignInLink) -> HttpResponse:
    """Sign in the person who pressed the button behind an emailed link, and redirect.

    A second step is still required. The errand of the browser that asked for the link continues here, unless this
    browser has one of its own.
    """
    if not errands.pending_url(request):
        errands.put(request, link.carried)
    record_authentication(request, link.user, method="code", email=link.email)
    verify_email_indirectly(request, link.user, link.email)
    login = Login(user=link.user, email=link.email, redirect_url=link.next_url or None)
    return flows_login.perform_login(request, login)


class MfaAdapter(DefaultMFAAdapter):
    """Adapter for passkeys: they belong to the host of the base URL, and are called passkeys."""

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.BASE_URL).hostname or "localhost", "name": "Custody"}

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()  # unscoped: counts the person's own
        return _now("Passkey %(n)d") % {"n": count + 1} if count else _now("Passkey")


class _Plain:
    """Form without placeholders: labels say what a field is, and a placeholder would only repeat them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # type: ignore[attr-defined]
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_Plain, account_forms.LoginForm):
    """Sign-in form with email address and password."""

    def clean_login(self) -> str:
        return addresses.normal(super().clean_login())


class ResetPasswordForm(_Plain, account_forms.ResetPasswordForm):
    """Form that asks for the address to send a password link to.

    Nothing is sent to a mailbox that has had many such emails: the links it has still work.
    """

    users: list[User]

    def clean_email(self) -> str:
        self.cleaned_data["email"] = addresses.normal(self.cleaned_data["email"])
        return super().clean_email()

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        user = self.users[0] if self.users else None
        is_sent = allowances.reset_by_mail(request, self.cleaned_data["email"], user)
        request.mailed_way = Way.DIGITS if is_sent else Way.NOTHING  # type: ignore[attr-defined]
        return super().save(request, **kwargs)


class ResetPasswordKeyForm(_Plain, account_forms.ResetPasswordKeyForm):
    """Form for a new password, reached by the emailed link."""


class ChangePasswordForm(_Plain, account_forms.ChangePasswordForm):
    """Form that asks for the current password and a new one."""


class SetPasswordForm(_Plain, account_forms.SetPasswordForm):
    """Form for a first password."""


class ReauthenticateForm(_Plain, account_forms.ReauthenticateForm):
    """Form that asks for the password again before a sensitive action."""


class AddPasskeyForm(_Plain, AddWebAuthnForm):
    """Form for a new passkey: its name, and whether it replaces the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["name"].help_text = _("To recognize it later, such as “Laptop” or “Blue key”.")
        self.fields["name"].max_length = 60
        self.fields["name"].widget.attrs["maxlength"] = 60
        self.fields["passwordless"].label = _("Use instead of a password")
        self.fields["passwordless"].help_text = _("Requires fingerprint, face or PIN.")
        self.fields["passwordless"].initial = True


class RequestCodeForm(account_forms.RequestLoginCodeForm):
    """Form that asks for an address and emails a code to it.

    With a pending claim code, an unknown address becomes an account, which can do nothing until its owner has proved
    the address with the emailed code.
    """

    _user: User | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs.update({"autocomplete": "email", "inputmode": "email", "placeholder": ""})

    def clean_email(self) -> str:
        request, typed = current.request, self.cleaned_data["email"]
        # Nothing is looked up for a twin of an address, and the page looks the same as for any other address.
        shown = typed.lower() if addresses.is_twin(typed) else addresses.normal(typed)
        self.cleaned_data["email"] = shown
        email = super().clean_email()
        if email and self._user is None and errands.pending_url(request) and allowances.may_begin(request):
            self._user = accounts.find_or_make(typed)
        # To the address on record, never to a typed twin.
        email = self._user.email if self._user else shown
        request.mailed_user, request.mailed_way = (self._user, allowances.code_by_mail(request, email, self._user))
        # The next page says whether to look for a code or a link.
        request.session[MAILED] = request.mailed_way is Way.DIGITS
        return email


class ConfirmCodeForm(account_forms.ConfirmLoginCodeForm):
    """Form that takes the six digits. Guesses are counted in the database, so simultaneous ones count too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Six-digit code")
        self.fields["code"].widget.attrs = {
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "maxlength": 6,
            "pattern": "[0-9]*",
        }

    def clean_code(self) -> str:
        request = current.request
        stage = request._login_stage
        email = stage.state.get("email") or ""
        give_back = allowances.guess_code(request, email, stage.login.user, f"{email} {stage.state['at']}")
        try:
            code = super().clean_code()
        except ValidationError:
            raise ValidationError(_("That code isn’t right. Use the one from the latest email.")) from None
        give_back()
        return code


class _CountedStep:
    """Mixin that counts tries at the second step in the same way as tries at the password."""

    user: User

    def clean_code(self) -> str:
        give_back = allowances.second_step(current.request, self.user)
        code = super().clean_code()  # type: ignore[misc]
        give_back()
        return code


class SecondStepForm(_CountedStep, mfa_forms.AuthenticateForm):
    """Form that asks for a code of an authenticator app, or a recovery code, after the password."""


class SecondStepAgainForm(_CountedStep, mfa_forms.ReauthenticateForm):
    """Form that asks for the second step again before a sensitive action."""
