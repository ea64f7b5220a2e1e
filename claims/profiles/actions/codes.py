"""Actions that create and invalidate claim codes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from claims import codes
from claims.models import ClaimCode, ClaimProfile, ClaimProfileResource, Scope
from claims.profiles import events
from console import operations, sql
from console.access import Actor, Permission
from console.audit import record
from console.errors import Refused
from console.models import Operation
from console.transactions import retrying
from devices.ledger import Change
from devices.log import record_act, record_devices
from devices.models import Device, Product

BATCH = 5_000
# Codes for more devices than this are created by the worker.
IN_REQUEST = 5_000
HASHES = ("link_sha256", "typed_sha256")


class RotatedCode(NamedTuple):
    """A code with its new version; the fields are named like the columns of its row."""

    id: UUID
    device_id: int | None
    version: int
    key_id: str
    changed_at: datetime
    link_sha256: str
    typed_sha256: str


@transaction.atomic
def make_for_profile(profile: ClaimProfile) -> ClaimCode:
    """Create the single code of a profile with scope link."""
    _new(profile, [None])
    return profile.codes.get(device=None)


@transaction.atomic
def make_for_devices(profile: ClaimProfile, device_ids: Iterable[int]) -> int:
    """Create a code for each of the devices that has none in this profile yet. Returns the number of codes created."""
    ids = sorted(set(device_ids))
    made = 0
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        having = sql.having_ids(ClaimCode.objects.filter(profile=profile), "device_id", batch)
        missing = sorted(set(batch) - set(having.values_list("device_id", flat=True)))
        _new(profile, missing)
        made += len(missing)
    return made


def lock_product(product_id: int | None) -> None:
    """Wait for running registrations of the product's devices, and block new ones until this transaction ends.

    Registering a device locks its product through the foreign key. So either the new device is visible here, or the
    registration sees the new profile. Without this lock, a device registered while a profile is being created would get
    no code.
    """
    list(Product.objects.select_for_update().filter(pk=product_id).values_list("pk"))  # type: ignore[misc]  # None is the key of no row


@transaction.atomic
def make_for_product(profile: ClaimProfile, *, by: Actor) -> Operation | None:
    """Create a code for every device of the profile's product: at once, or by an operation if there are very many.

    Returns the operation, if there is one.
    """
    lock_product(profile.product_id)
    ids = list(_units(profile).values_list("pk", flat=True)[: IN_REQUEST + 1])
    if len(ids) <= IN_REQUEST:
        make_for_devices(profile, ids)
        return None
    return _start(profile, _units(profile).count(), by=by)


@transaction.atomic
def add_units(profile: ClaimProfile, device_ids: Iterable[int], *, by: Actor) -> tuple[int, Operation | None]:
    """Create codes for the selected devices in a profile that is not tied to a product.

    Returns the number of codes created and, where there are very many, the operation that creates them. Raises Refused
    (409) if the profile has scope link or is tied to a product.
    """
    if profile.scope != Scope.UNIT or profile.product_id:
        raise Refused(
            "not_for_selection",
            _("This profile creates its codes automatically. Choose a profile for selected devices."),
        )
    ids = sorted(set(device_ids))
    if len(ids) > IN_REQUEST:
        return 0, _start(profile, len(ids), by=by, ids=ids)
    made = make_for_devices(profile, ids)
    if made:
        record(events.PROFILE_UNITS_ADDED, profile, by=by, units=made)
    return made, None


@operations.handler(
    "claim_code.create",
    title=ngettext_lazy("Create %(n)d claim code of %(profile)s", "Create %(n)d claim codes of %(profile)s", "n"),
    done=ngettext_lazy("%(n)d code of %(profile)s created.", "%(n)d codes of %(profile)s created.", "n"),
    permission=Permission.PROFILE_EDIT,
)
def run_make(operation: Operation, by: Actor) -> None:
    """Create codes: payload {profile} for all devices of a product, {profile, ids} for a selection."""
    profile = ClaimProfile.objects.visible_to(by).get(pk=operation.payload["profile"])
    ids = operation.payload.get("ids")
    while True:
        batch = ids[operation.cursor : operation.cursor + BATCH] if ids is not None else None
        if not _make_chunk(operation, profile, batch):
            break
    operation.sentence = operations.sentence_of(operation, profile=profile)
    if ids is not None and (made := operations.succeeded(operation)):
        record(events.PROFILE_UNITS_ADDED, profile, by=by, units=made)


@retrying
def replace(profile: ClaimProfile, *, reason: str, by: Actor) -> None:
    """Invalidate the printed code of a profile with scope link, and create a new one."""
    _rotate(ClaimCode.objects.filter(profile=profile, device=None))
    record(events.PROFILE_CODE_REPLACED, profile, by=by, note=reason)


@retrying
def replace_for_devices(device_ids: Iterable[int], *, reason: str, by: Actor) -> int:
    """Invalidate the printed codes of the devices, and create new ones. Returns the number of codes replaced."""
    rotated = _rotate(sql.having_ids(ClaimCode.objects.all(), "device_id", list(device_ids)))
    touched = sorted({code.device_id for code in rotated if code.device_id})
    record_devices(events.CODE_REPLACED, touched, by=by, note=reason)
    return len(rotated)


@transaction.atomic
def note_export(profile: ClaimProfile, *, by: Actor) -> int:
    """Log that the actor exported the codes of all devices of a profile. Returns the number of codes."""
    count = profile.codes.count()
    record(events.PROFILE_CODES_EXPORTED, profile, by=by, units=count)
    return count


def follow_ledger(change: Change) -> None:
    """Create codes for newly registered devices, and replace the codes of devices released from their owners."""
    if change.kind == "registered":
        _after_registration(change.device_ids)
    if change.kind == "released":
        for start in range(0, len(change.device_ids), BATCH):
            _replace_printed(change, change.device_ids[start : start + BATCH])


def is_replaced(device_id: int) -> bool:
    """Whether a printed code of the device was replaced, so that holders of the old label must be kept out."""
    return ClaimCode.objects.filter(device=device_id, version__gt=1).exists()


def printed(code: ClaimCode) -> codes.Printed | None:
    """Return what is printed on the label of this code; None if the server key that created it is not configured."""
    try:
        return codes.derive(code.pk, code.version, code.key_id)
    except KeyError:
        return None


def _after_registration(device_ids: list[int]) -> None:
    """Create the codes of newly registered devices. Takes one query if no profile with scope unit has their product."""
    devices = sql.having_ids(Device.objects.order_by(), "id", device_ids)
    products = set(devices.values_list("product_id", flat=True).distinct())
    for profile in ClaimProfile.objects.filter(scope=Scope.UNIT, product__in=products).order_by("pk"):
        make_for_devices(profile, devices.filter(product=profile.product_id).values_list("pk", flat=True))


def _replace_printed(change: Change, ids: list[int]) -> None:
    """Replace the devices' own codes and the codes of all links that list one of them, for ownership or for access.

    A former owner may have kept a picture of the link that gave them the device, just as of its label. A link that
    shares the device would let strangers see what the next owner does.
    """
    units = _rotate(sql.having_ids(ClaimCode.objects.all(), "device_id", ids))
    touched = sorted({code.device_id for code in units if code.device_id})
    record_act(events.CODE_REPLACED, touched, change.act)
    listed = sql.having_ids(ClaimProfileResource.objects.order_by(), "device_id", ids)
    giving = ClaimProfile.objects.filter(scope=Scope.LINK, pk__in=set(listed.values_list("profile_id", flat=True)))
    for profile in giving.select_related("organization").order_by("pk"):
        _rotate(ClaimCode.objects.filter(profile=profile, device=None))
        record(events.PROFILE_CODE_REPLACED, profile, by=change.act.by, act=change.act.id, at=change.act.at)


def _units(profile: ClaimProfile) -> QuerySet[Device]:
    return Device.objects.filter(product=profile.product_id).order_by("pk")


def _start(profile: ClaimProfile, total: int, *, by: Actor, ids: list[int] | None = None) -> Operation:
    return operations.begin(
        run_make,
        ids,
        by=by,
        total=total,
        words={"profile": profile},
        in_background=True,
        return_url=profile.get_absolute_url(),
        profile=profile.pk,
    )


@operations.chunk
def _make_chunk(operation: Operation, profile: ClaimProfile, batch: list[int] | None) -> int:
    """Create the codes of the next devices. Returns the number of devices processed.

    The cursor is a position in the list of ids or, if there is no list, the id of the last device.
    """
    if batch is None:
        lock_product(profile.product_id)
        units = _units(profile).filter(pk__gt=operation.cursor)
        batch = list(units.values_list("pk", flat=True)[:BATCH])
        cursor = batch[-1] if batch else operation.cursor
    else:
        cursor = operation.cursor + len(batch)
    if batch:
        made = make_for_devices(profile, batch)
        operations.advance(operation, cursor=cursor, succeeded=made)
    return len(batch)


def _new(profile: ClaimProfile, device_ids: Sequence[int | None]) -> None:
    """Insert a new code for each device; None creates the profile's own code. There may be very many."""
    key, at = codes.current_key(), sql.prepared(ClaimCode, "changed_at", timezone.now())
    names = ["id", "organization", "profile", "version", "key_id", "changed_at", "device", *HASHES]
    constants, prepare = ((profile.organization_id, profile.pk, 1, key, at), ClaimCode._meta.pk.get_db_prep_save)
    made = ((uuid4(), device_id) for device_id in device_ids)
    rows = (
        (prepare(code_id, connection), *constants, device_id, *_hashes(code_id, 1, key)) for code_id, device_id in made
    )
    sql.insert_rows(ClaimCode, names, rows)


def _hashes(code_id: UUID, version: int, key: str) -> tuple[str, str]:
    printed = codes.derive(code_id, version, key)
    return codes.sha256(printed.link), codes.sha256(printed.typed)


def _rotate(rows: QuerySet[ClaimCode]) -> list[RotatedCode]:
    """Increment the version of each code and overwrite its hashes, so that printed codes no longer match anything.

    The rows are locked first (SQLite has only the transaction's lock), so that two simultaneous calls increment twice.
    Otherwise both would issue the same new code, and one of the callers would not know that it is already invalid.
    """
    at, key = timezone.now(), codes.current_key()
    locked = rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", "device_id", "version")
    rotated = [
        RotatedCode(pk, device_id, version + 1, key, at, *_hashes(pk, version + 1, key))
        for pk, device_id, version in locked
    ]
    sql.update_rows(ClaimCode, rotated, ["version", "key_id", "changed_at", *HASHES])
    return rotated
