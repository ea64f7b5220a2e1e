"""The states of returns and shipments as pills. A list shows fifty of them, so each is drawn once a language."""

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
    """The state of a return."""
    return _return(returned.state, get_language())


@register.simple_tag
def shipment_state(shipment: Shipment) -> SafeString:
    """The state of a shipment."""
    return _shipment(shipment.state, get_language())


@lru_cache
def _return(state: str, language: str | None) -> SafeString:
    return pill(*pills.RETURNS[ReturnState(state)], ReturnState(state).label)


@lru_cache
def _shipment(state: str, language: str | None) -> SafeString:
    return pill(*pills.SHIPMENTS[ShipmentState(state)], ShipmentState(state).label)
