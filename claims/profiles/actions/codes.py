"""Makes claim codes and kills them."""

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
from devices.log import record_devices
from devices.models import Device, Product

BATCH = 5_000
# Above this many units the worker makes the codes.
IN_REQUEST = 5_000
HASHES = ("link_sha256", "typed_sha256")


class Raised(NamedTuple):
    """A code whose version was raised, in the words of its row."""

    id: UUID
    device_id: int | None
    version: int
    key_id: str
    changed_at: datetime
    link_sha256: str
    typed_sha256: str


@transaction.atomic
def make_for_profile(profile: ClaimProfile) -> ClaimCode:
    """Make the one code of a profile with scope link."""
    _new(profile, [None])
    return profile.codes.get(device=None)


@transaction.atomic
def make_for_devices(profile: ClaimProfile, device_ids: Iterable[int]) -> int:
    """Make a code for each of the devices that has none of this profile yet. Returns how many were made."""
    ids = sorted(set(device_ids))
    made = 0
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        having = sql.having_ids(ClaimCode.objects.filter(profile=profile), "device_id", batch)
        missing = sorted(set(batch) - set(having.values_list("device_id", flat=True)))
        _new(profile, missing)
        made += len(missing)
    return made


def hold_product(product_id: int | None) -> None:
    """Wait for those who are registering units of the product, and let new ones wait until this transaction
    ends.

    Who registers a unit holds its product by the foreign key. So either his unit is seen here, or he sees the
    new profile; without this, a unit registered at the moment at which a profile is made would get no code.
    """
    list(Product.objects.select_for_update().filter(pk=product_id).values_list("pk"))  # type: ignore[misc]  # None is the key of no row


@transaction.atomic
def make_for_product(profile: ClaimProfile, *, by: Actor) -> Operation | None:
    """Make a code for every unit of the profile's product: at once, or by an operation where they are very
    many.

    Returns the operation, if there is one.
    """
    hold_product(profile.product_id)
    ids = list(_units(profile).values_list("pk", flat=True)[: IN_REQUEST + 1])
    if len(ids) <= IN_REQUEST:
        make_for_devices(profile, ids)
        return None
    return _start(profile, _units(profile).count(), by=by)


@transaction.atomic
def add_units(profile: ClaimProfile, device_ids: Iterable[int], *, by: Actor) -> tuple[int, Operation | None]:
    """Give a selection of units codes of a profile that is not tied to a product.

    Returns how many were made, or the operation that makes them where they are very many.
    """
    if profile.scope != Scope.UNIT or profile.product_id:
        raise Refused("not_for_selection", _("This profile makes its codes by itself. Choose one for a selection."))
    ids = sorted(set(device_ids))
    if len(ids) > IN_REQUEST:
        return 0, _start(profile, len(ids), by=by, ids=ids)
    made = make_for_devices(profile, ids)
    if made:
        record(events.PROFILE_UNITS_ADDED, profile, by=by, units=made)
    return made, None


@operations.handler(
    "claim_code.create",
    title=ngettext_lazy("Make %(n)d claim code of %(profile)s", "Make %(n)d claim codes of %(profile)s", "n"),
    done=ngettext_lazy("%(n)d code of %(profile)s made.", "%(n)d codes of %(profile)s made.", "n"),
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
    """Kill the printed code of a profile with scope link, and make a new one."""
    _raise_versions(ClaimCode.objects.filter(profile=profile, device=None))
    record(events.PROFILE_CODE_REPLACED, profile, by=by, note=reason)


@retrying
def replace_for_devices(device_ids: Iterable[int], *, reason: str, by: Actor) -> int:
    """Kill the printed codes of the devices, and make new ones. Returns how many."""
    raised = _raise_versions(sql.having_ids(ClaimCode.objects.all(), "device_id", list(device_ids)))
    touched = sorted({code.device_id for code in raised if code.device_id})
    record_devices(events.CODE_REPLACED, touched, by=by, note=reason)
    return len(raised)


@transaction.atomic
def note_export(profile: ClaimProfile, *, by: Actor) -> int:
    """Tell in the log who took the codes of all units of a profile. Returns how many there are."""
    count = profile.codes.count()
    record(events.PROFILE_CODES_EXPORTED, profile, by=by, units=count)
    return count


def follow_ledger(change: Change) -> None:
    """New units of a product with a unit profile get their codes; of those that come back the printed ones
    die."""
    if change.kind == "registered":
        _welcome(change.device_ids)
    if change.kind == "released":
        for start in range(0, len(change.device_ids), BATCH):
            _kill_printed(change, change.device_ids[start : start + BATCH])


def is_replaced(device_id: int) -> bool:
    """Whether a printed code of the device was replaced: whoever had its old label is to be kept out."""
    return ClaimCode.objects.filter(device=device_id, version__gt=1).exists()


def printed(code: ClaimCode) -> codes.Printed | None:
    """What stands on the label of this code; None where the server key that it was made with is not
    configured."""
    try:
        return codes.derive(code.pk, code.version, code.key_id)
    except KeyError:
        return None


def _welcome(device_ids: list[int]) -> None:
    """Make the codes of new units. One query where their product has no unit profile."""
    devices = sql.having_ids(Device.objects.order_by(), "id", device_ids)
    products = set(devices.values_list("product_id", flat=True).distinct())
    for profile in ClaimProfile.objects.filter(scope=Scope.UNIT, product__in=products).order_by("pk"):
        make_for_devices(profile, devices.filter(product=profile.product_id).values_list("pk", flat=True))


def _kill_printed(change: Change, ids: list[int]) -> None:
    """Raise the versions of the units' own codes, and of the links that give one of them, owned or shared.

    Whoever had a unit may have kept a picture of the link that gave it, just as of its label; and a link that
    shares it would let strangers see what the next owner does.
    """
    units = _raise_versions(sql.having_ids(ClaimCode.objects.all(), "device_id", ids))
    touched = sorted({code.device_id for code in units if code.device_id})
    record_devices(events.CODE_REPLACED, touched, by=change.by, act=change.act, at=change.at)
    listed = sql.having_ids(ClaimProfileResource.objects.order_by(), "device_id", ids)
    giving = ClaimProfile.objects.filter(scope=Scope.LINK, pk__in=set(listed.values_list("profile_id", flat=True)))
    for profile in giving.select_related("organization").order_by("pk"):
        _raise_versions(ClaimCode.objects.filter(profile=profile, device=None))
        record(events.PROFILE_CODE_REPLACED, profile, by=change.by, act=change.act, at=change.at)


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
    """Make the codes of the next units. Returns how many units were looked at.

    The cursor is the place in the list of ids or, without one, the id of the last unit.
    """
    if batch is None:
        hold_product(profile.product_id)
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
    """Write a new code for each device; of None it is the profile's own. They may be very many."""
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


def _raise_versions(rows: QuerySet[ClaimCode]) -> list[Raised]:
    """Raise each code's version. The old hashes are overwritten, so what was printed finds nothing any more.

    The rows are locked first (on SQLite the transaction holds the only lock), so that two who raise at the
    same moment raise twice: else both would give out the same new code, and one not know that it is dead.
    """
    at, key = timezone.now(), codes.current_key()
    locked = rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", "device_id", "version")
    raised = [
        Raised(pk, device_id, version + 1, key, at, *_hashes(pk, version + 1, key)) for pk, device_id, version in locked
    ]
    sql.update_rows(ClaimCode, raised, ["version", "key_id", "changed_at", *HASHES])
    return raised
