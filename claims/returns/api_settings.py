"""How returns are set up: where customers send units, why they come back, what is checked then."""

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
    """A point of the checklist. `id` is null while the organization has set up none of its own."""

    id = serializers.IntegerField(source="pk", allow_null=True)
    text = serializers.CharField()
    is_archived = serializers.BooleanField(help_text="It is not offered any more.")


class ReturnReasonOut(ReturnPointOut):
    """A reason. `id` is null while the organization has set up none of its own."""

    is_for_customers = serializers.BooleanField(help_text="Customers may choose it too.")


class ReturnSettingsOut(serializers.Serializer):
    """How returns are set up."""

    address = serializers.CharField(help_text="Where customers send units to. It stands on their slip.")
    note = serializers.CharField(help_text="What else the slip tells.")
    reasons = ReturnReasonOut(many=True)
    checks = ReturnPointOut(many=True)


class ReturnPointIn(Row):
    """A point of the checklist. Without an id it is new."""

    id = Id(required=False, allow_null=True)
    text = Text(max_length=160)
    is_archived = Flag(default=False)


class ReturnReasonIn(ReturnPointIn):
    """A reason. Without an id it is new."""

    text = Text(max_length=80)
    is_for_customers = Flag(default=True)


class ReturnSettingsIn(Body):
    """What changes. Of a list, the rows are put in the order that is given, and those left out follow as they are."""

    address = Text(max_length=LENGTH, required=False, allow_blank=True)
    note = Text(max_length=LENGTH, required=False, allow_blank=True)
    reasons = serializers.ListField(child=ReturnReasonIn(), required=False, max_length=actions.MOST)
    checks = serializers.ListField(child=ReturnPointIn(), required=False, max_length=actions.MOST)


@endpoint("See the settings of returns", may=MAY, answers=ReturnSettingsOut, tag="returns")
def return_settings_detail(request: Any) -> Any:
    """With what is archived, in their order."""
    return _now(request.actor.organization)


@endpoint(
    "Edit the settings of returns",
    may=MAY,
    takes=ReturnSettingsIn,
    answers=ReturnSettingsOut,
    tag="returns",
    example={"address": "Northlake Returns, Dock 4, 73430 Aalen"},
)
def return_settings_edit(request: Any) -> Any:
    """What is left out stays as it is."""
    _store(request.body_data, by=request.actor)
    return _now(request.actor.organization)


@retrying
def _store(body: dict[str, Any], *, by: Any) -> None:
    """All of it or nothing. What is left out is read again under the lock of its rows, so that no other edit is lost."""
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
    """The rows, then what they leave out. Raises Unfit for an id that is not there, or twice, and for no text."""
    known, seen, errors = {choice.pk for choice in there} - {None}, set(), {}
    for place, row in enumerate(rows):
        pk = row.get("id")
        if pk is not None and (pk not in known or pk in seen):
            errors[f"{name}[{place}].id"] = ["It is none of those that are there, or it is there twice."]
        seen.add(pk)
        try:
            row["text"] = clean_text(row["text"])
        except ValidationError as error:
            errors[f"{name}[{place}].text"] = error.messages
        if not row["text"]:
            errors[f"{name}[{place}].text"] = ["Give it a text, or archive it."]
    if errors:
        raise Unfit(errors)
    given = [Choice(row["text"], row.get("id"), row.get("is_for_customers", True), row["is_archived"]) for row in rows]
    return [*given, *(choice for choice in there if choice.pk in known - seen)]
