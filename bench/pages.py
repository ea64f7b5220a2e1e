"""Single pages, against an empty Django view with session, user and one query behind the same middleware."""

from collections.abc import Iterator

from django.test import Client
from django.urls import reverse

from bench.data import World
from bench.lists import get
from bench.report import Line, milliseconds
from bench.timing import interleaved
from claims.models import ClaimProfile, Scope
from claims.profiles.actions import codes as claim_codes
from claims.profiles.actions import profiles as claim_profiles
from console.access import ROLES, Actor, system
from customers.keys.actions import api_keys
from devices.models import Device

MOST, LEAST = 4.0, 0.3
EMPTY = "/bench/empty/"


def single_profile(world: World) -> ClaimProfile:
    """Return a profile whose link gives one device, created once."""
    found = ClaimProfile.objects.filter(organization=world.organization, slug="single").first()
    if found is not None:
        return found
    stock = Device.objects.filter(organization=world.organization, status="in_stock", archived_at=None)
    return claim_profiles.create(
        by=system(world.organization),
        name="A single unit",
        slug="single",
        scope=Scope.LINK,
        devices=[stock.order_by("-id")[0]],
    )


def link_of(profile: ClaimProfile) -> str:
    """Return the address in the QR code of a profile."""
    printed = claim_codes.printed(profile.codes.get())
    assert printed is not None
    return f"/c/{printed.link}"


def scanned(link: str) -> Client:
    """Return the browser of an unknown visitor who has just scanned the code."""
    client = Client()
    assert client.get(link).status_code == 303
    return client


def measure(world: World) -> Iterator[Line]:
    """Measure each page at the median, against the empty view in the same browser."""
    person = world.person(world.usual)
    mine = Device.objects.filter(customer=world.usual).order_by("id")[0]
    visitor = scanned(link_of(single_profile(world)))
    pages = {
        "device detail": (world.client(), mine.get_absolute_url()),
        "claim landing": (visitor, reverse("claim:landing")),
        "portal": (world.client(person), reverse("portal:home")),
        "portal, device": (world.client(person), reverse("portal:device_detail", args=[mine.pk])),
    }
    for work, (client, url) in pages.items():
        ours, theirs = interleaved(get(client, url), get(client, EMPTY), rounds=60)
        yield Line(f"{work} against an empty view", milliseconds(ours), milliseconds(theirs), ours / theirs, most=MOST)
    yield by_serial(world)


def by_serial(world: World) -> Line:
    """Measure one device by its serial number over REST, in calls a second, against the empty view in a session."""
    owner = Actor(
        kind="member",
        user=world.member,
        organization=world.organization,
        role="owner",
        permissions=ROLES["owner"],
        label="Alice",
    )
    _key, text = api_keys.create(name="Bench", scopes=["view"], by=owner)
    device = Device.objects.filter(organization=world.organization, archived_at=None).order_by("-id")[0]
    program = Client(headers={"authorization": f"Bearer {text}"})
    url = f"/api/v1/devices?serial_number={device.serial_number}"
    ours, theirs = interleaved(get(program, url), get(world.client(), EMPTY), rounds=60)
    return Line(
        "GET /api/v1/devices?serial_number= against an empty view",
        f"{1 / ours:.0f}/s",
        f"{1 / theirs:.0f}/s",
        theirs / ours,
        least=LEAST,
    )
