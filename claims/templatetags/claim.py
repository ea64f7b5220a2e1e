"""Template tags for customer pages and for signing in with a code, which may come before a claim."""

from typing import Any

from django import template
from django.urls import reverse

from claims.redemption import portal_queries, session
from console.models import Organization, OrganizationLogo

register = template.Library()


@register.simple_tag(takes_context=True)
def pending_claim(context: dict[str, Any]) -> session.Pending | None:
    """Return the pending code if it can be claimed. Invalid codes are not revealed before sign-in."""
    pending = session.current(context["request"])
    return pending if pending is not None and pending.is_usable else None


@register.simple_tag(takes_context=True)
def lapsed_scan(context: dict[str, Any]) -> session.Lapsed | None:
    """Return the scan that expired before it was claimed, if any. Read once per request."""
    request = context["request"]
    if not hasattr(request, "_claim_lapsed"):
        request._claim_lapsed = session.lapsed(request)
    return request._claim_lapsed


@register.simple_tag(takes_context=True)
def sealed_scan(context: dict[str, Any]) -> str:
    """Return the pending code, signed, for a form to submit; empty without one."""
    return session.sealed(context["request"])


@register.simple_tag(takes_context=True)
def house(context: dict[str, Any]) -> Organization | None:
    """Return the organization that owns this page: the view's or the code's, else the domain's, else the only one."""
    if context.get("organization") is not None:
        return context["organization"]
    pending = pending_claim(context)
    if pending is not None and pending.offer is not None:
        return pending.offer.profile.organization
    past = lapsed_scan(context)
    if past is not None and past.offer is not None:
        return past.offer.profile.organization
    return portal_queries.organization_at(context["request"].get_host())


@register.simple_tag(takes_context=True)
def is_admin(context: dict[str, Any]) -> bool:
    """Whether the person is an admin of a customer: only then does the portal show what admins can do."""
    return bool(context["request"].customer_actor.administers)


@register.inclusion_tag("claims/redemption/_brand.html")
def brand(organization: Organization | None, url: str = "") -> dict[str, Any]:
    """Return the logo and the brand name."""
    return {"name": organization.brand if organization else "Custody", "logo": _logo(organization), "url": url}


def _logo(organization: Organization | None) -> str:
    if organization is None:
        return ""
    cached = organization._state.fields_cache
    has_logo = (
        # unscoped: logos are public
        cached["logo"] is not None if "logo" in cached else OrganizationLogo.objects.filter(pk=organization.pk).exists()
    )
    return reverse("console:logo", args=[organization.slug]) if has_logo else ""
