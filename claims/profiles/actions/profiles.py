"""Actions that create, edit, enable and disable claim profiles."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from claims.models import Claim, ClaimProfile, ClaimProfileMember, ClaimProfileResource, ResourceKind, Scope, Shipment
from claims.profiles import events
from claims.profiles.actions import codes
from console import edits, slugs, sql, words
from console.access import Actor, Permission
from console.audit import changes, record
from console.errors import Refused
from console.fields import fold
from console.models import Member, Operation
from console.transactions import retrying
from customers.models import CustomerRole, MemberEnd, ProjectMember
from customers.projects.actions import members as project_members
from devices.models import Device

Documents = Iterable[tuple[str, str]]
Members = Iterable[tuple[Member, str]]
# The permissions that a member of the organization, or their API key, needs to grant a role in customers' projects.
ROLE_NEEDS: dict[str, frozenset[Permission]] = {
    CustomerRole.VIEWER: frozenset({Permission.VIEW}),
    CustomerRole.OPERATOR: frozenset({Permission.VIEW, Permission.DEVICE_ASSIGN, Permission.DEVICE_CALL}),
}
ROLE_NEEDS[CustomerRole.ADMIN] = ROLE_NEEDS[CustomerRole.OPERATOR] | {
    Permission.CUSTOMER_EDIT,
    Permission.CUSTOMER_INVITE,
    Permission.DEVICE_UNCLAIM,
}
LISTS = ("devices", "documents", "members")


@retrying
def create(
    *,
    by: Actor,
    devices: Iterable[Device] = (),
    documents: Documents = (),
    members: Members = (),
    at: datetime | None = None,
    **fields: Any,
) -> ClaimProfile:
    """Create a claim profile with its code, or with a code for each device of its product.

    Very many codes are created by an operation. Raises Refused (409) if the identifier is taken, and Refused (403) if a
    member's role includes permissions that the actor does not have.
    """
    members = list(members)
    _may_give(members, by)
    profile = ClaimProfile(organization=by.organization, created_at=at or timezone.now(), **fields)
    profile.set_keys()
    codes.lock_product(profile.product_id)
    try:
        with transaction.atomic():
            profile.save(force_insert=True)
            words.write("claim_profile", {profile.pk: profile.name}, are_new=True)
    except IntegrityError:
        raise Refused("duplicate", _("Another claim profile has this identifier.")) from None
    _list_resources(profile, devices, documents)
    _list_members(profile, members)
    _make_codes(profile, by=by)
    record(events.PROFILE_CREATED, profile, by=by, at=at)
    return profile


@retrying
def create_for_units(name: str, device_ids: Iterable[int], *, by: Actor) -> tuple[ClaimProfile, int, Operation | None]:
    """Create a profile that has a separate code for each of the selected devices.

    Returns the profile, the number of codes created and, where there are very many, the operation that creates them.
    """
    profile = create(name=name, slug=propose_slug(name, by=by), scope=Scope.UNIT, by=by)
    return (profile, *codes.add_units(profile, device_ids, by=by))


@retrying
def edit(profile: ClaimProfile, *, by: Actor, version: int | None = None, **given: Any) -> ClaimProfile:
    """Change only the given fields; `devices`, `documents` and `members`, if given, replace those lists.

    Removing an additional member ends the project memberships that the member has through the profile's claims. A
    changed role applies to later claims only. If `version` is given, the profile must still have that version. Raises
    Refused if somebody else has changed the profile since, if the identifier is taken, if the limit is below the number
    of claims already made (422), if scope or product change although codes exist, if scope and product do not fit each
    other, if a new member's role includes permissions that the actor does not have (403), or if the profile belongs to
    a shipment.
    """
    now = edits.hold(profile)
    if Shipment.objects.filter(profile=now).exists():
        raise Refused("of_shipment", _("This profile belongs to a shipment. Edit the shipment."))
    given |= {name: list(given[name]) for name in LISTS if name in given}
    changed = compare(now, **given)
    if version is not None and now.version != version:
        raise _edited_meanwhile()
    if not changed:
        return now
    if {"scope", "product"} & set(changed) and now.codes.exists():
        raise Refused(
            "codes_exist", _("Codes already exist, so scope and product can't be changed. Create another profile.")
        )
    _keep_together(now, given)
    lists = _saved_values(now, LISTS) | {name: given[name] for name in LISTS if name in given}
    _write(now, {name: value for name, value in given.items() if name not in LISTS})
    if {"devices", "documents"} & set(changed):
        now.resources.all().delete()
        _list_resources(now, lists["devices"], lists["documents"])
    if "additional_members" in changed:
        kept = set(now.members.values_list("member", "role"))
        _may_give([(member, role) for member, role in lists["members"] if (member.pk, role) not in kept], by)
        _end_memberships(now, besides=[member.user_id for member, _role in lists["members"]], by=by)
        now.members.all().delete()
        _list_members(now, lists["members"])
    now.refresh_from_db()
    if not now.codes.exists():
        _make_codes(now, by=by)
    record(events.PROFILE_EDITED, now, by=by, **changed)
    return now


@retrying
def enable(profile: ClaimProfile, *, by: Actor) -> bool:
    """Allow a profile to be claimed. Returns whether this changed anything."""
    return _switch(profile, True, by=by)


@retrying
def disable(profile: ClaimProfile, *, by: Actor) -> bool:
    """Stop a profile from being claimed, effective immediately. Returns whether this changed anything."""
    return _switch(profile, False, by=by)


@transaction.atomic
def take_out(device_ids: Iterable[int], *, by: Actor, at: datetime | None = None) -> int:
    """Remove the devices from all profiles with one shared code. Returns the number of profiles changed.

    A claim in progress finds that the profile has changed, and grants nothing.
    """
    rows = ClaimProfileResource.objects.filter(profile__scope=Scope.LINK)
    rows = sql.having_ids(rows.order_by(), "device_id", sorted(set(device_ids)))
    found: dict[int, list[int]] = {}
    for pk, profile_id in rows.values_list("pk", "profile_id"):
        found.setdefault(profile_id, []).append(pk)
    for profile in ClaimProfile.objects.filter(pk__in=found).select_related("organization").order_by("pk"):
        ClaimProfile.objects.filter(pk=profile.pk).update(version=F("version") + 1)
        before = _as_text(_saved_values(profile, ["devices"]))
        profile.resources.filter(pk__in=found[profile.pk]).delete()
        after = _as_text(_saved_values(profile, ["devices"]))
        record(events.PROFILE_EDITED, profile, by=by, at=at, **changes(before, after))
    return len(found)


def compare(profile: ClaimProfile, **values: Any) -> dict[str, Any]:
    """Return `{field: [saved value, given value]}` for the fields that differ, as text."""
    return changes(_as_text(_saved_values(profile, values)), _as_text(values))


def propose_slug(name: str, *, by: Actor, besides: int | None = None) -> str:
    """Return an identifier derived from the name that no other profile uses.

    `besides` is the primary key of a profile whose own identifier does not count as taken.
    """
    base = slugs.proposed(name, kind="profile", longest=52)
    others = ClaimProfile.objects.filter(organization=by.organization, slug__startswith=base).exclude(
        pk=besides  # type: ignore[misc]  # None is the key of no row
    )
    taken, number, slug = set(others.values_list("slug", flat=True)), 1, base
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


def below_count(count: int) -> str:
    """Return the error message for a limit below the number of claims already made."""
    return ngettext(
        "It has already been claimed %(n)d time. Enter at least that number, or disable the profile to stop claims.",
        "It has already been claimed %(n)d times. Enter at least that number, or disable the profile to stop claims.",
        count,
    ) % {"n": count}


def _keep_together(now: ClaimProfile, given: dict[str, Any]) -> None:
    """Check that the given fields fit those that somebody else may have changed meanwhile. Raises Refused if not."""
    scope, product, start, end = (
        given.get(name, getattr(now, name)) for name in ("scope", "product", "valid_from", "valid_until")
    )
    if (product is not None and scope != Scope.UNIT) or (start and end and end <= start):
        raise _edited_meanwhile()


def _write(profile: ClaimProfile, fields: dict[str, Any]) -> None:
    """Write the fields. The UPDATE's own condition ensures that the new limit is not below the number of claims."""
    if "name" in fields:
        fields = {**fields, "name_key": fold(fields["name"])[:200]}
        words.write("claim_profile", {profile.pk: fields["name"]})
    limit = fields.get("max_claims")
    within = Q() if limit is None else Q(claim_count__lte=limit)
    rows = ClaimProfile.objects.filter(within, pk=profile.pk)
    try:
        with transaction.atomic():
            written = rows.update(**fields, version=F("version") + 1)
    except IntegrityError:
        raise Refused("duplicate", _("Another claim profile has this identifier.")) from None
    if not written:
        raise Refused("below_count", below_count(profile.claim_count), status=422)


def _list_resources(profile: ClaimProfile, devices: Iterable[Device], documents: Documents) -> None:
    things = [{"kind": ResourceKind.DEVICE, "device": device} for device in devices]
    things += [{"kind": ResourceKind.DOCUMENT, "title": title, "link": link} for title, link in documents]
    ClaimProfileResource.objects.bulk_create(
        [ClaimProfileResource(profile=profile, position=place, **thing) for place, thing in enumerate(things)]
    )


def _list_members(profile: ClaimProfile, members: Members) -> None:
    ClaimProfileMember.objects.bulk_create(
        [ClaimProfileMember(profile=profile, member=member, role=role) for member, role in members]
    )


def _may_give(members: Members, by: Actor) -> None:
    """Raise Refused (403) if the actor lacks a permission that a role includes.

    A product manager's API key has that role, but not necessarily all of its permissions.
    """
    if any(not ROLE_NEEDS[role] <= by.permissions for _member, role in members):
        raise Refused(
            "role_not_yours",
            _(
                "This role has permissions that you don't have. Choose another role, or use a key with all of its "
                "scopes."
            ),
            status=403,
        )


def _end_memberships(profile: ClaimProfile, *, besides: list[int], by: Actor) -> None:
    """End the project memberships that former members have through the profile's claims; `besides` lists who stays.

    A claim in progress finds that the profile has changed, and grants nothing.
    """
    gone = profile.members.exclude(member__user__in=besides).values_list("member__user", flat=True)
    claims = Claim.objects.filter(profile=profile).order_by()
    evidence = claims.values(text=Concat(Value("claim:"), Cast("pk", TextField()), output_field=TextField()))
    rows = ProjectMember.objects.filter(user__in=list(gone), start_evidence__in=evidence)
    project_members.end(rows, reason=MemberEnd.PROFILE, by=by, note=profile.name)


def _make_codes(profile: ClaimProfile, *, by: Actor) -> None:
    if profile.scope == Scope.LINK:
        codes.make_for_profile(profile)
    elif profile.product_id:
        codes.make_for_product(profile, by=by)


def _switch(profile: ClaimProfile, on: bool, *, by: Actor) -> bool:
    rows = ClaimProfile.objects.filter(pk=profile.pk, is_enabled=not on)
    if not rows.update(is_enabled=on, version=F("version") + 1):
        return False
    record(events.PROFILE_ENABLED if on else events.PROFILE_DISABLED, profile, by=by, is_enabled=[not on, on])
    return True


def _saved_values(profile: ClaimProfile, names: Iterable[str]) -> dict[str, Any]:
    """Return the saved values of these fields."""
    resources = list(profile.resources.select_related("device"))
    lists = {
        "devices": [r.device for r in resources if r.kind == ResourceKind.DEVICE],
        "documents": [(r.title, r.link) for r in resources if r.kind == ResourceKind.DOCUMENT],
        "members": [(m.member, m.role) for m in profile.members.select_related("member__user").order_by("pk")],
    }
    return {name: lists[name] if name in lists else getattr(profile, name) for name in names}


def _as_text(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as text for comparison and the audit log; each list becomes one string.

    The field `members` becomes `additional_members`, because in the log "members" are those of a claim.
    """
    texts = {name: value for name, value in values.items() if name != "members"}
    if "devices" in texts:
        texts["devices"] = ", ".join(device.serial_number for device in texts["devices"])
    if "documents" in texts:
        texts["documents"] = ", ".join(f"{title} ({link})" for title, link in texts["documents"])
    if "members" in values:
        texts["additional_members"] = ", ".join(f"{member} ({role})" for member, role in values["members"])
    if "form" in texts:
        texts["form"] = ", ".join(f"{asked['label']}{'*' if asked['required'] else ''}" for asked in texts["form"])
    return texts


def _edited_meanwhile() -> Refused:
    return Refused(
        "edited_meanwhile",
        _(
            "Somebody else changed this profile while you edited it. Nothing is saved yet. Compare both versions, "
            "then save again to keep yours."
        ),
    )
