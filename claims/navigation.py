"""This app's sidebar entries and settings tabs."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from claims.models import ClaimProfile, Return, Shipment, ShipmentState
from console.access import Actor, Permission
from console.navigation import Entry
from console.settings_tabs import Tab

RETURNS = (
    "claims:return_list",
    "claims:return_workbench",
    "claims:return_receive",
    "claims:return_detail",
    "claims:return_inspect",
    "claims:return_label",
)


def _returns(actor: Actor) -> QuerySet[Return]:
    return Return.objects.visible_to(actor).under_way()


def _open_shipments(actor: Actor) -> QuerySet[Shipment]:
    return Shipment.objects.visible_to(actor).filter(state=ShipmentState.OPEN)


def entries() -> list[Entry]:
    """Return the sidebar entries of claim profiles, shipments and returns."""
    return [
        Entry(
            _("Claim profiles"),
            "claims:claim_profile_list",
            "qr-code",
            40,
            ("claims:claim_profile", "claims:unit_code"),
            rows=ClaimProfile.objects.visible_to,
        ),
        Entry(_("Shipments"), "claims:shipment_list", "package", 50, ("claims:shipment",), rows=_open_shipments),
        Entry(
            _("Returns"),
            "claims:return_workbench",
            "undo-2",
            60,
            RETURNS,
            permission=Permission.RETURN_RECEIVE,
            rows=_returns,
        ),
        Entry(
            _("Returns"), "claims:return_list", "undo-2", 60, RETURNS, unless=Permission.RETURN_RECEIVE, rows=_returns
        ),
    ]


def settings_tabs() -> list[Tab]:
    """Return the settings tab of returns."""
    may = Permission.ORGANIZATION_EDIT
    return [Tab("returns", _("Returns"), "claims:return_settings", 50, ("claims:return_settings",), may)]
