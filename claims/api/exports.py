"""Downloads of claim profiles, their devices' claim codes, returns and the devices of shipments."""

from typing import Any

from django.http import StreamingHttpResponse
from rest_framework import serializers

from claims.models import ClaimProfile, Return, ReturnState, Scope
from claims.profiles import api as profiles
from claims.profiles import exports
from claims.profiles.api_shapes import ProfileQuery
from claims.profiles.filters import ClaimProfileFilter
from claims.returns.api_shapes import ReturnQuery
from claims.returns.exports import return_table
from claims.returns.filters import OPEN, ReturnFilter
from claims.shipments import packing_list
from claims.shipments import pages as shipments
from console.access import Permission
from console.errors import Refused
from console.export import stream
from console.rest.exports import as_exported, export, unpaged
from console.rest.forms import filtered

TAG = "exports"

P = Permission


class ReturnExportQuery(unpaged(ReturnQuery)):  # type: ignore[misc]
    """Filters of the returns to download."""

    state = serializers.ChoiceField(choices=[(OPEN, "under way"), *ReturnState.choices], required=False)


@export("Download claim profiles", may=P.EXPORT, query=unpaged(ProfileQuery), tag="claim profiles")
def claim_profile_export(request: Any, form: str) -> StreamingHttpResponse:
    """Returns all claim profiles that match the given filters, newest first."""
    query, switched = request.query, {True: "enabled", False: "disabled"}
    wanted = {name: query.get(name) for name in ("q", "scope", "grant")}
    wanted["state"] = switched.get(query.get("enabled"))
    filtered(ClaimProfileFilter, ClaimProfile.objects.visible_to(request.actor), request, **wanted)
    asked = as_exported(request, form, **wanted)
    return stream(asked, *exports.claim_profile_table(asked))


@export("Download the codes of a claim profile's units", may=P.CODE_VIEW, tag="claim profiles")
def claim_profile_units_export(request: Any, form: str, key: str) -> StreamingHttpResponse:
    """Returns the serial number, typed code and link of each device.

    Anyone who has the file can claim the devices. The download is logged.
    """
    profile = profiles.find(request, key)
    if profile.scope != Scope.UNIT:
        raise Refused("no_unit_codes", "This profile has one code for all. Ask for its code instead.")
    asked = as_exported(request, form)
    response = stream(asked, *exports.unit_code_table(asked, profile))
    response["Cache-Control"] = "no-store"
    return response


@export("Download returns", may=P.EXPORT, query=ReturnExportQuery, tag="returns")
def return_export(request: Any, form: str) -> StreamingHttpResponse:
    """Returns all returns that match the given filters, newest first."""
    wanted = {name: request.query.get(name) for name in ("q", "state", "reason", "customer", "needs_label")}
    filtered(ReturnFilter, Return.objects.visible_to(request.actor), request, **wanted)
    asked = as_exported(request, form, **wanted)
    return stream(asked, *return_table(asked))


@export("Download the units of a shipment", may=P.EXPORT, tag="shipments")
def shipment_export(request: Any, form: str, pk: int) -> StreamingHttpResponse:
    """Returns the devices in packing order, each with what became of it."""
    asked = as_exported(request, form)
    return stream(asked, *packing_list.table(shipments.one(asked, pk)))
