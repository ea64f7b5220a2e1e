"""The states of returns and shipments as pills. Lists show fifty of them, so each is rendered once per language."""

from functools import lru_cache

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from claims import pills
from claims.models import Return, ReturnState, Shipment, ShipmentState
from console.templatetags.custody import pill

register = template.Library()


@register.simple_tag
def return_state(returned: Return) -> SafeString:
    """Return the state of a return as a pill."""
    return _return(returned.state, get_language())


@register.simple_tag
def shipment_state(shipment: Shipment) -> SafeString:
    """Return the state of a shipment as a pill."""
    return _shipment(shipment.state, get_language())


@lru_cache
def _return(state: str, language: str | None) -> SafeString:
    return pill(*pills.RETURNS[ReturnState(state)], ReturnState(state).label)


@lru_cache
def _shipment(state: str, language: str | None) -> SafeString:
    return pill(*pills.SHIPMENTS[ShipmentState(state)], ShipmentState(state).label)
