"""Compares claims and their codes with the ledger, over all organizations."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from claims import codes
from claims.models import Claim, ClaimCode, ClaimProfile, Scope
from claims.profiles.actions.codes import run_make
from console.models import Operation
from console.models.operation import OperationState
from devices.models import Device

SHOWN = 20
CHUNK = 5_000


def check() -> list[str]:
    """Return a sentence for each contradiction, the first twenty of each kind."""
    return [*_counters(), *_claims(), *_missing_codes(), *_wrong_codes()]


def _counters() -> Iterator[str]:
    counted: QuerySet[Any] = ClaimProfile.objects.annotate(number=Count("claims")).exclude(number=F("claim_count"))
    for profile in counted.order_by("pk")[:SHOWN]:
        sentence = f"counts {profile.claim_count} claims, but there are {profile.number}."
        yield f"Claim profile {profile.pk} ({profile}) {sentence}"


def _claims() -> Iterator[str]:
    wrong = ~Q(code__profile=F("profile")) | ~Q(project__customer=F("customer"))
    for claim in Claim.objects.filter(wrong | ~Q(customer__organization=F("organization"))).order_by("pk")[:SHOWN]:
        yield f"Claim {claim.pk} refers to a code, project or customer that does not match it."


def _missing_codes() -> Iterator[str]:
    own = ClaimCode.objects.filter(profile=OuterRef("pk"), device=None)
    for profile in ClaimProfile.objects.filter(~Exists(own), scope=Scope.LINK).order_by("pk")[:SHOWN]:
        yield f"Claim profile {profile.pk} ({profile}) has no code."
    running = Operation.objects.filter(
        handler=run_make.name, state__in=[OperationState.WAITING, OperationState.RUNNING]
    )
    making = {operation.payload.get("profile") for operation in running}
    for profile in ClaimProfile.objects.filter(scope=Scope.UNIT, product__isnull=False).exclude(pk__in=making):
        having = ClaimCode.objects.filter(profile=profile, device=OuterRef("pk"))
        for device in Device.objects.filter(~Exists(having), product=profile.product_id).order_by("pk")[:SHOWN]:
            yield f"Device {device.pk} ({device}) has no code of claim profile {profile.pk} ({profile})."


def _wrong_codes() -> Iterator[str]:
    found, unknown = 0, Counter[str]()
    for code in ClaimCode.objects.order_by("pk").iterator(chunk_size=CHUNK):
        try:
            printed = codes.derive(code.pk, code.version, code.key_id)
        except KeyError:
            unknown[code.key_id] += 1
            continue
        if (code.link_sha256, code.typed_sha256) != (codes.sha256(printed.link), codes.sha256(printed.typed)):
            found += 1
            if found <= SHOWN:
                yield f"Claim code {code.pk} has hashes that do not match its label."
    for key, number in sorted(unknown.items()):
        yield f"Key {key} is not configured. Claim codes that can't be reprinted: {number}."
