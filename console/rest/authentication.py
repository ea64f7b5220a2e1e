"""Authentication of API calls by bearer key (RFC 6750). Sessions and cookies give no access to the API."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from console import api_keys


class KeyAuthentication(BaseAuthentication):
    """Sets `request.actor` to the actor of the bearer key.

    A call without a key stays anonymous; an invalid key is refused at once.
    """

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        """Return the actor and the key of the call, or None if it carries no bearer key.

        Raises AuthenticationFailed, with the same message in all three cases, if the key is unknown, expired or
        revoked.
        """
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        found = None
        if len(words) == 2 and len(words[1]) <= 200:
            found = api_keys.find(words[1].decode("latin-1"))
        if found is None:
            raise AuthenticationFailed(_("This key is unknown, or no longer valid."))
        actor, key = found
        request._request.actor = actor
        return actor, key

    def authenticate_header(self, request: Any) -> str:
        """Return the `WWW-Authenticate` challenge for a call without a valid key."""
        return 'Bearer realm="Custody"'
