"""Converts the body of an API request to the fields of the console's claim profile form, which validates it."""

from typing import Any

from django.http import Http404

from claims.models import ClaimProfile
from claims.profiles.forms import ClaimProfileForm
from console import addresses
from console.editing import named
from console.models import Member
from console.rest.forms import checked
from console.rest.problems import Unfit
from devices.api.products import find as find_product

ROWS = ("documents", "members", "questions")


class ProfileForm(ClaimProfileForm):
    """The console's form, which also reports the errors of its rows.

    It accepts changes of scope and product; the action refuses those that existing codes forbid.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Browsers show these fields as fixed. A change sent by a program must be refused, not silently dropped.
        for name in ("scope", "product"):
            self.fields[name].disabled = False

    @property
    def errors(self) -> Any:
        """The errors of each field, and of each field of a row."""
        found = super().errors
        for name in ROWS:
            rows = getattr(self, name)
            for number, form in zip(rows.numbers, rows.forms, strict=True):
                for field, errors in form.errors.items():
                    found.setdefault(f"{name}[{number}].{field}", errors)
        return found


def check(request: Any, profile: ClaimProfile | None = None) -> ProfileForm:
    """Return the validated form of the request body. Raises Unfit.

    When an existing profile is edited, fields that the body omits keep their values.
    """
    body, actor = dict(request.body_data), request.actor
    lists = {name: body.pop(name) for name in ROWS if name in body}
    for name, look_up in {"product": _product, "domain": _domain}.items():
        if body.get(name) is not None:
            body[name] = look_up(request, body[name])
    if "devices" in body:
        body["devices"] = "\n".join(body["devices"])
    if "members" in lists:
        lists["members"] = [_member(actor, each, place) for place, each in enumerate(lists["members"])]
    if profile is None:
        return checked(ProfileForm, body | _rows(lists), actor=actor)
    now = ClaimProfileForm(instance=profile, actor=actor)
    kept = {name: [form.initial for form in getattr(now, name).forms] for name in ROWS}
    data = {"devices": now.initial["devices"]} | body | _rows(kept | lists)
    return checked(ProfileForm, data, instance=profile, actor=actor)


def changed(request: Any, profile: ClaimProfile) -> dict[str, Any]:
    """Return the changes that the body makes to an existing profile, as arguments of the action. Raises Unfit."""
    return named(check(request, profile), request.body_data.keys() - {"version"})


def _rows(lists: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the rows of each list under the field names of the console's form."""
    return {
        f"{name}-{place}-{field}": "" if value is False else value
        for name, rows in lists.items()
        for place, row in enumerate(rows)
        for field, value in row.items()
    }


def _product(request: Any, key: str) -> int:
    try:
        return find_product(request, key).pk
    except Http404:
        raise Unfit({"product": ["There is no such product."]}) from None


def _domain(request: Any, host: str) -> int:
    found = request.actor.organization.domains.filter(host=host.lower()).values_list("pk", flat=True).first()
    if found is None:
        raise Unfit({"domain": ["This is not a domain of the organization."]})
    return found


def _member(actor: Any, given: dict[str, str], place: int) -> dict[str, Any]:
    """Return the row of the form for the member with this email address. Raises Unfit if there is none."""
    rows = Member.objects.visible_to(actor).filter(removed_at=None, user__email=addresses.normal(given["email"]))
    found = rows.values_list("pk", flat=True).first()
    if found is None:
        raise Unfit({f"members[{place}].email": ["There is no such member."]})
    return {"member": found, "role": given["role"]}
