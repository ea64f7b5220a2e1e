"""Who may call: the permissions of every resource of the API, made from its endpoints' `may` and `customer`.

They raise where DRF's return False, because a refusal has a code and says what to do next.
"""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission

from console.access import Permission
from console.errors import Refused


class HasKey(BasePermission):
    """Every call needs a key."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Raise NotAuthenticated where there is none. A method that the address lacks is refused as such later."""
        if view.endpoint is not None and request.auth is None:
            raise NotAuthenticated(_("Send a key: Authorization: Bearer cst_…"))
        return True


class MayCall(BasePermission):
    """The key, and whoever made it, may do what the endpoint does, and see what it answers."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Raise Refused (403) where one of them may not."""
        endpoint, actor = view.endpoint, request.actor
        if endpoint is None or endpoint.is_for_any_key:
            return True
        needed = endpoint.needed(actor)
        if needed is None:
            whose = _("a customer’s key") if actor.kind == "customer" else _("a key of the organization")
            raise Refused("not_allowed", _("This is no call for %(key)s.") % {"key": whose}, status=403)
        if not actor.may(needed):
            sentence = _("This key may not do that: it takes the scope %(scope)s, and a maker who may do it.")
            raise Refused("not_allowed", sentence % {"scope": needed.value}, status=403)
        if actor.kind != "customer" and not actor.may(Permission.VIEW):
            raise Refused("view_needed", _("This key lacks the scope view, which every call needs."), status=403)
        return True
