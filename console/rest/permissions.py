"""Permissions of every resource of the API, derived from `may` and `customer` of its endpoints.

They raise instead of returning False, because a refusal has a code and says what to do next.
"""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission

from console.access import Permission
from console.errors import Refused


class HasKey(BasePermission):
    """Requires a key for every call."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Return True, or raise NotAuthenticated if the call has no key.

        A method that the address lacks passes here; it is refused as such later.
        """
        if view.endpoint is not None and request.auth is None:
            raise NotAuthenticated(_("Send a key: Authorization: Bearer cst_…"))
        return True


class MayCall(BasePermission):
    """Requires that the key, and the person who created it, may call the endpoint and see what it returns."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Return True, or raise Refused (403) if the key or its creator lacks a permission."""
        endpoint, actor = view.endpoint, request.actor
        if endpoint is None or endpoint.is_for_any_key:
            return True
        needed = endpoint.needed(actor)
        if needed is None:
            whose = _("a customer’s key") if actor.kind == "customer" else _("a key of the organization")
            raise Refused("not_allowed", _("This call isn't available to %(key)s.") % {"key": whose}, status=403)
        if not actor.may(needed):
            sentence = _(
                "This key isn't allowed to do that: it requires the scope %(scope)s and a creator who has "
                "that permission."
            )
            raise Refused("not_allowed", sentence % {"scope": needed.value}, status=403)
        if actor.kind != "customer" and not actor.may(Permission.VIEW):
            raise Refused("view_needed", _("This key lacks the scope view, which every call needs."), status=403)
        return True
