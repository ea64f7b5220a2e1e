"""One row of each kind of the organization's own, by the words of their addresses in the API."""

from typing import Any

from console.actions import organizations
from console.models import Member
from console.people.actions import members
from customers.keys.actions import api_keys
from tests import factories


def rows(organization: Any, by: Any) -> dict[str, int]:
    """Their ids. The member and the invitation are of viewers, whom every key that manages members may touch."""
    viewer = factories.make_member(organization, "viewer")
    return {
        "domains": organizations.add_domain(organization, "claim.northlake.example", by=by).pk,
        "members": Member.objects.get(user=viewer).pk,
        "invitations": members.invite("new@northlake.example", "viewer", by=by)[0].pk,
        "api-keys": api_keys.create(name="Line 7", scopes=["view"], by=by)[0].pk,
    }
