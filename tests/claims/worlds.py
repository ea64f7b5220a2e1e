"""Claim profiles for the tests: the shortest way to each kind of offer."""

from typing import Any

from django.utils import timezone

from claims.models import ClaimProfile, ClaimProfileMember, ClaimProfileResource, ResourceKind, Scope
from claims.profiles.actions import codes as claim_codes
from console.models import Event
from devices.models import Device, Product


def make_link_profile(
    organization: Any, *devices: Device, documents: list | None = None, **fields: Any
) -> ClaimProfile:
    """Create a profile with a document unless something is listed: a profile that grants nothing can't be claimed."""
    if documents is None and not devices:
        documents = [("Manual", "https://northlake.example/manual.pdf")]
    profile = _profile(organization, scope=Scope.LINK, **fields)
    for position, device in enumerate(devices):
        ClaimProfileResource.objects.create(profile=profile, kind=ResourceKind.DEVICE, device=device, position=position)
    for position, (title, link) in enumerate(documents or [], len(devices)):
        ClaimProfileResource.objects.create(
            profile=profile, kind=ResourceKind.DOCUMENT, title=title, link=link, position=position
        )
    claim_codes.make_for_profile(profile)
    return profile


def make_unit_profile(
    product: Product | None, *devices: Device, organization: Any = None, **fields: Any
) -> ClaimProfile:
    fields = {"slug": "units", "name": "Units", **fields}
    profile = _profile(organization or product.organization, scope=Scope.UNIT, product=product, **fields)
    ids = Device.objects.filter(product=product).values_list("pk", flat=True) if product else [d.pk for d in devices]
    claim_codes.make_for_devices(profile, ids)
    return profile


def make_many_devices(product: Product, number: int) -> list[int]:
    rows = [
        Device(
            organization=product.organization,
            product=product,
            serial_number=f"BULK-{n:06d}",
            device_name=f"bulk{n:012d}",
        )
        for n in range(number)
    ]
    for row in rows:
        row.set_keys()
    return [row.pk for row in Device.objects.bulk_create(rows, batch_size=500)]


def add_member(profile: ClaimProfile, member: Any, role: str) -> None:
    ClaimProfileMember.objects.create(profile=profile, member=member, role=role)


def event(kind: str) -> Event:
    return Event.objects.get(kind=kind)


def _profile(organization: Any, **fields: Any) -> ClaimProfile:
    fields = {"name": "North pilot", "slug": "north-pilot", "created_at": timezone.now(), **fields}
    profile = ClaimProfile(organization=organization, **fields)
    profile.set_keys()
    profile.save()
    return profile
