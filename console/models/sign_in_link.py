from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class SignInLink(models.Model):
    """A mailed link that signs a person in, once. Only the SHA-256 of its token is stored."""

    # None if nobody has an account with the address: then the token was mailed to nobody.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    email = models.EmailField()
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    # Where the person wanted to go, and what was pending in the browser that asked, in case another one opens the link.
    next_url = models.CharField(max_length=500, blank=True)
    carried: Any = models.JSONField(null=True)

    def __str__(self) -> str:
        return self.email

    @property
    def is_open(self) -> bool:
        """Whether the link still works."""
        return self.used_at is None and self.expires_at > timezone.now()
