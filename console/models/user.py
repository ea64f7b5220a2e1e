from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from console import addresses


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person. Without a password they sign in by mailed code only."""
        user = self.model(email=addresses.normal(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email=addresses.normal(email or ""))


class User(AbstractBaseUser):
    """A person who signs in. Their rights follow from their memberships and customers, never from this row.

    The address is stored in its normal form (`console.addresses`), so that no twin of it can be registered.
    """

    email = models.EmailField(_("Email address"), unique=True)
    name = models.CharField(_("Name"), max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    time_zone = models.CharField(_("Time zone"), max_length=64, blank=True)
    language = models.CharField(_("Language"), max_length=8, blank=True)
    # Sessions that began earlier are over, and their browsers are treated as unknown again.
    browsers_since = models.DateTimeField(null=True, editable=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar = UserManager()

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def initials(self) -> str:
        """One or two letters for the round badge."""
        words = [w for w in (self.name or self.email.split("@")[0]).replace(".", " ").split() if w]
        return "".join(w[0] for w in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()[:2]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return the hash of the person in a session. A new password, or signing out everywhere, ends the session."""
        if self.browsers_since is None:
            return super()._get_session_auth_hash(secret)  # type: ignore[misc]
        salt = "console.models.User.get_session_auth_hash"
        text = f"{self.password} {self.browsers_since.isoformat()}"
        return salted_hmac(salt, text, secret=secret, algorithm="sha256").hexdigest()

    # allauth calls these two.
    def get_full_name(self) -> str:
        return str(self)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Return no permission: rights come from `console.access`."""
        return False
