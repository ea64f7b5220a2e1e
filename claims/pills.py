"""Colours and icons of the states of returns and shipments."""

from claims.models import ReturnState, ShipmentState

RETURNS = {
    ReturnState.REQUESTED: ("accent", "mail"),
    ReturnState.RECEIVED: ("warn", "undo-2"),
    ReturnState.INSPECTED: ("accent", "clipboard-check"),
    ReturnState.RESTOCKED: ("ok", "circle-check"),
    ReturnState.REFURBISHED: ("ok", "wrench"),
    ReturnState.SCRAPPED: ("bad", "trash-2"),
    ReturnState.CANCELLED: ("idle", "ban"),
}
SHIPMENTS = {
    ShipmentState.OPEN: ("accent", "package"),
    ShipmentState.SHIPPING: ("warn", "clock"),
    ShipmentState.SENT: ("warn", "clock"),
    ShipmentState.SHIPPED: ("ok", "circle-check"),
    ShipmentState.CANCELLED: ("idle", "ban"),
}
