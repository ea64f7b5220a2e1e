"""REST API of the return settings: the return address, the reasons for returns, and the inspection checklist."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from claims.returns import choices
from claims.returns.actions import settings as actions
from claims.returns.choices import Choice
from claims.returns.forms import SlipForm
from console.access import Permission
from console.editing import named
from console.forms import clean_text
from console.rest.endpoints import endpoint
from console.rest.entries import Row
from console.rest.fields import Body, Flag, Id, Text
from console.rest.forms import checked
from console.rest.problems import Unfit
from console.transactions import retrying

TAG = "return settings"

MAY = Permission.ORGANIZATION_EDIT
SLIP, LENGTH = ("address", "note"), 400


class ReturnPointOut(serializers.Serializer):
    """A point of the inspection checklist. `id` is null as long as the organization uses the default checklist."""

    id = serializers.IntegerField(source="pk", allow_null=True)
    text = serializers.CharField()
    is_archived = serializers.BooleanField(help_text="Whether it is archived and no longer offered.")


class ReturnReasonOut(ReturnPointOut):
    """A reason for a return. `id` is null as long as the organization uses the default reasons."""

    is_for_customers = serializers.BooleanField(help_text="Whether customers may choose it too.")


class ReturnSettingsOut(serializers.Serializer):
    """The return settings of the organization: address and note on the slip, reasons, and checklist."""

    address = serializers.CharField(help_text="Where customers send devices. Shown on their return slip.")
    note = serializers.CharField(help_text="Further instructions on the slip.")
    reasons = ReturnReasonOut(many=True)
    checks = ReturnPointOut(many=True)


class ReturnPointIn(Row):
    """A point of the inspection checklist. Without an `id`, a new point is added."""

    id = Id(required=False, allow_null=True)
    text = Text(max_length=160)
    is_archived = Flag(default=False)


class ReturnReasonIn(ReturnPointIn):
    """A reason for a return. Without an `id`, a new reason is added."""

    text = Text(max_length=80)
    is_for_customers = Flag(default=True)


class ReturnSettingsIn(Body):
    """The settings to change; fields left out stay as they are.

    The entries of a list are put in the given order. Entries left out follow them unchanged.
    """

    address = Text(max_length=LENGTH, required=False, allow_blank=True)
    note = Text(max_length=LENGTH, required=False, allow_blank=True)
    reasons = serializers.ListField(child=ReturnReasonIn(), required=False, max_length=actions.MOST)
    checks = serializers.ListField(child=ReturnPointIn(), required=False, max_length=actions.MOST)


@endpoint("See the return settings", may=MAY, answers=ReturnSettingsOut, tag="returns")
def return_settings_detail(request: Any) -> Any:
    """Returns the return settings, with reasons and checklist in their order, including archived entries."""
    return _now(request.actor.organization)


@endpoint(
    "Edit the return settings",
    may=MAY,
    takes=ReturnSettingsIn,
    answers=ReturnSettingsOut,
    tag="returns",
    example={"address": "Northlake Returns, Dock 4, 73430 Aalen"},
)
def return_settings_edit(request: Any) -> Any:
    """Changes the return settings and returns them. Fields and entries left out stay as they are."""
    _store(request.body_data, by=request.actor)
    return _now(request.actor.organization)


@retrying
def _store(body: dict[str, Any], *, by: Any) -> None:
    """Save all of the body or nothing.

    Entries left out are read again while their rows are locked, so that no concurrent edit is lost.
    """
    slip = {name: body[name] for name in SLIP if name in body}
    if slip:
        form = checked(SlipForm, slip, instance=choices.settings_of(by.organization))
        actions.save_slip(by=by, **named(form, slip))
    for name, save in {"reasons": actions.save_reasons, "checks": actions.save_checks}.items():
        if name in body:
            actions.hold(by.organization)
            save(_choices(name, body[name], _lists(by.organization)[name]), by=by)


def _now(organization: Any) -> dict[str, Any]:
    slip = choices.settings_of(organization)
    return {"address": slip.address, "note": slip.note, **_lists(organization)}


def _lists(organization: Any) -> dict[str, list[Choice]]:
    return {
        "reasons": choices.reasons(organization, archived=True),
        "checks": choices.checks(organization, archived=True),
    }


def _choices(name: str, rows: list[dict[str, Any]], there: list[Choice]) -> list[Choice]:
    """Return the choices of the rows, followed by those that they leave out.

    Raises Unfit (422) for an id that is unknown or used twice, and for a missing text.
    """
    known, seen, errors = {choice.pk for choice in there} - {None}, set(), {}
    for place, row in enumerate(rows):
        pk = row.get("id")
        if pk is not None and (pk not in known or pk in seen):
            errors[f"{name}[{place}].id"] = ["There is no such entry, or it is listed twice."]
        seen.add(pk)
        try:
            row["text"] = clean_text(row["text"])
        except ValidationError as error:
            errors[f"{name}[{place}].text"] = error.messages
        if not row["text"]:
            errors[f"{name}[{place}].text"] = ["Enter a text, or archive this entry."]
    if errors:
        raise Unfit(errors)
    given = [Choice(row["text"], row.get("id"), row.get("is_for_customers", True), row["is_archived"]) for row in rows]
    return [*given, *(choice for choice in there if choice.pk in known - seen)]
