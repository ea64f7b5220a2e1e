"""How people sign in: members with a password and a second step or a passkey, customers with a code by mail."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import RequestLoginCodeForm
from allauth.core import context
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

# Tells whether this session holds a claim code, for which somebody unknown may make an account. Reached by name.
PENDING_CLAIM = "claims.session.has_pending"


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by a form; six digits by mail; where to go after signing in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def generate_login_code(self) -> str:
        from django.utils.crypto import get_random_string

        return get_random_string(6, "0123456789")

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("console:home")

    def format_email_subject(self, subject: str) -> str:
        return subject


class RequestCodeForm(RequestLoginCodeForm):
    """Asks for an address and mails a code to it. With a claim code at hand, an unknown address becomes an account.

    The account can do nothing until its owner has proved the address with the code.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs.update({"autocomplete": "email", "inputmode": "email", "placeholder": ""})

    def clean_email(self) -> str:
        email = super().clean_email()
        if email and self._user is None and import_string(PENDING_CLAIM)(context.request):
            User = get_user_model()
            self._user = User.objects.filter(email=User.objects.normalize_email(email).lower()).first()
            if self._user is None:
                self._user = User.objects.create_user(email)
        return email
