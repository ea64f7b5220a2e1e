"""Who calls: the actor of the bearer key (RFC 6750). No session and no cookie opens the API."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from console import api_keys


class KeyAuthentication(BaseAuthentication):
    """Sets `request.actor` of the key. Whoever sends none stays anonymous, and a wrong one is refused at once."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        """Find the key. Raises AuthenticationFailed for one that is unknown, expired or revoked: all alike."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        found = None
        if len(words) == 2 and len(words[1]) <= 200:
            found = api_keys.find(words[1].decode("latin-1"))
        if found is None:
            raise AuthenticationFailed(_("This key is not known here, or it is not valid any more."))
        actor, key = found
        request._request.actor = actor
        return actor, key

    def authenticate_header(self, request: Any) -> str:
        """What the answer to a call without a key asks for."""
        return 'Bearer realm="Custody"'
