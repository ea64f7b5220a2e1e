"""The demo organization: some months in the life of Northlake Sensors, replayed in order by the real actions.

Everything follows from one seed and the day of loading, so two demos loaded on the same day are alike.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from claims.demo import returns, shipments
from claims.demo.data import ANSWERS, CAUSES, CUSTOMERS, DOCUMENTS, MEMBERS, NOTES, PRODUCTS, PROFILES, REASONS, TAGS
from claims.models import (
    ClaimCode,
    ClaimProfile,
    ClaimProfileMember,
    ClaimProfileResource,
    ClaimStep,
    Grant,
    ResourceKind,
    Scope,
    Step,
)
from claims.profiles import events as profile_events
from claims.profiles.actions import codes as claim_codes
from claims.redemption.actions import redemption
from console import events as console_events
from console import words
from console.access import ROLES, Actor
from console.audit import record
from console.models import Member, Organization, User
from console.people import events as people_events
from customers import events as customer_events
from customers.models import Customer, CustomerKind, CustomerUser
from customers.projects.actions import projects
from devices import demo_messages, ledger
from devices import events as device_events
from devices.actions import devices as device_actions
from devices.actions import ownership
from devices.acts import BegunAct
from devices.identifiers import luhn_digit
from devices.ledger import Change
from devices.log import record_devices
from devices.models import Device, Product

SLUG = "northlake-sensors"
PASSWORD = "demo-custody-2026"  # noqa: S105 -- printed for everybody who loads the demo
SEED = 2026
# The number of owned devices that have sent messages.
TALKING = 30
Act = Callable[..., Any]


@dataclass
class World:
    """The state of the demo so far, and the diary of what is still to happen."""

    random: Random
    now: datetime
    organization: Any = None
    members: dict[str, Actor] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    profiles: dict[str, ClaimProfile] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    people: dict[str, list[Actor]] = field(default_factory=dict)
    # Device ids: in stock by product, taken back, and held by customers, with the customer's name.
    stock: dict[str, list[int]] = field(default_factory=dict)
    returned: list[int] = field(default_factory=list)
    held: list[tuple[int, str]] = field(default_factory=list)
    steps: list[ClaimStep] = field(default_factory=list)
    diary: list[tuple[datetime, int, Act]] = field(default_factory=list)

    def note(self, days_ago: float, act: Act, *, office: bool = True) -> None:
        """Schedule an act this many days ago, during office hours or, if not `office`, whenever customers have time."""
        first, last = (8, 17) if office else (7, 22)
        moment = time(self.random.randrange(first, last), self.random.randrange(60), self.random.randrange(60))
        day = (self.now - timedelta(days=days_ago)).date()
        at = datetime.combine(day, moment, UTC) + timedelta(microseconds=self.random.randrange(1_000_000))
        if office and day.weekday() > 4:
            at -= timedelta(days=2)
        self.diary.append((min(at, self.now - timedelta(minutes=len(self.diary) % 50 + 1)), len(self.diary), act))

    def live(self) -> None:
        """Perform the acts of the diary in chronological order, as the audit log is read in the order of writing."""
        for at, _number, act in sorted(self.diary, key=lambda entry: entry[:2]):
            act(at)
        ClaimStep.objects.bulk_create(sorted(self.steps, key=lambda step: step.at), batch_size=500)


@transaction.atomic
def load(*, now: datetime | None = None, seed: int = SEED) -> bool:
    """Create the demo organization with its history up to `now`. Returns False if it already exists."""
    if Organization.objects.filter(slug=SLUG).exists():
        return False
    world = World(Random(seed), now or timezone.now())  # noqa: S311 -- a story, not a secret
    _found(world)
    for plan in (
        _plan_products,
        _plan_customers,
        _plan_profiles,
        _plan_shipments,
        _plan_claims,
        _plan_shares,
        _plan_returns,
        returns.plan,
        shipments.plan,
        _plan_notes,
    ):
        plan(world)
    world.live()
    talking = Device.objects.filter(organization=world.organization, archived_at=None).order_by("customer", "pk")
    demo_messages.load(
        [*talking.filter(status="owned")[:TALKING], *talking.filter(status="in_stock")[:2]], world.now, world.random
    )
    return True


def sign_ins() -> list[tuple[str, str, str]]:
    """Return who can sign in to the demo, as (role, email, how)."""
    rows = [(name, email, PASSWORD) for name, email, _role, _person in MEMBERS]
    return [*rows, ("Customer's admin", "dana@aalen.example", "a code by mail; read it in the mailbox")]


def _found(world: World) -> None:
    """Create the organization and its members."""
    at = world.now - timedelta(days=150)
    world.organization = Organization.objects.create(
        name="Northlake Sensors",
        slug=SLUG,
        time_zone="Europe/Berlin",
        requires_second_factor=False,
        brand_name="Northlake",
        support_email="support@northlake.example",
        support_phone="+49 7361 555 010",
        imprint_url="https://northlake.example/imprint",
        privacy_url="https://northlake.example/privacy",
        support_note="Weekdays from 8 to 17 h.",
        created_at=at,
    )
    password = make_password(PASSWORD)
    for number, (_name, email, role, person) in enumerate(MEMBERS):
        joined = at + timedelta(days=number, hours=number)
        user = User.objects.create_user(email, name=person, date_joined=joined)
        User.objects.filter(pk=user.pk).update(password=password)
        member = Member.objects.create(organization=world.organization, user=user, role=role, created_at=joined)
        world.members[role] = Actor(
            kind="member", user=user, organization=world.organization, role=role, permissions=ROLES[role], label=person
        )
        if role == "owner":
            record(console_events.ORGANIZATION_CREATED, world.organization, by=world.members[role], at=joined)
        else:
            record(people_events.JOINED, member, by=world.members[role], at=joined)


def _plan_products(world: World) -> None:
    for number, facts in enumerate(PRODUCTS):
        world.note(140 - number, lambda at, facts=facts: _make_product(world, facts, at))
        for lot, days_ago in enumerate([112, 64, 21]):
            world.note(days_ago - number, lambda at, f=facts, n=lot: _register_lot(world, f, n, at))


def _make_product(world: World, facts: dict[str, Any], at: datetime) -> None:
    product = Product(
        organization=world.organization,
        name=facts["name"],
        slug=facts["slug"],
        created_at=at,
        platform=facts["platform"],
        description=facts["description"],
    )
    product.set_keys()
    product.save(force_insert=True)
    words.write("product", {product.pk: product.name}, are_new=True)
    world.products[product.slug], world.stock[product.slug] = product, []
    record(device_events.PRODUCT_CREATED, product, by=world.members["product_manager"], at=at)


def _register_lot(world: World, facts: dict[str, Any], lot: int, at: datetime) -> None:
    """Register a factory lot: numbered devices with identifiers that pass their checks.

    The first four devices of a product's first lot are for the engineers.
    """
    by, product = world.members["product_manager"], world.products[facts["slug"]]
    before, size = sum(facts["lots"][:lot]), facts["lots"][lot]
    revision = facts["revisions"][: lot + 1][-1]
    rows = [_unit(world, facts, before + number, revision, at) for number in range(size)]
    Device.objects.bulk_create(rows, batch_size=500)
    names = [device.name_key for device in rows]
    made = Device.objects.filter(organization=world.organization, name_key__in=names)
    ids = list(made.order_by("pk").values_list("pk", flat=True))
    record_devices(device_events.REGISTERED, ids, by=by, at=at, act=uuid4())
    ledger.notify(Change("registered", ids, BegunAct(by, at=at)))
    device_actions.set_tags(ids, [f"lot-{at:%y%m}"], by=by)
    if lot == 0:
        Device.objects.filter(pk__in=ids[:4]).update(is_development=True)
        device_actions.set_tags(ids[:4], [f"lot-{at:%y%m}", "lab"], by=by)
        ids = ids[4:]
    world.random.shuffle(ids)
    world.stock[product.slug] += ids


def _unit(world: World, facts: dict[str, Any], number: int, revision: str, at: datetime) -> Device:
    random = world.random
    imei = "35912210" + f"{random.randrange(10**6):06d}"
    iccid = "894920" + f"{random.randrange(10**12):012d}"
    device = Device(
        organization=world.organization,
        product=world.products[facts["slug"]],
        created_at=at,
        serial_number=f"{facts['prefix']}{at:%y}-{number * 7 + 200_003:06d}",
        device_name=f"{facts['name_prefix']}{random.getrandbits(64):016x}",
        mac=":".join(["D8", "3B", "DA", *(f"{random.randrange(256):02X}" for _octet in range(3))]),
        hardware_revision=revision,
        manufactured_on=(at - timedelta(days=9)).date(),
        imei=imei + luhn_digit(imei) if facts["is_cellular"] else "",
        iccid=iccid + luhn_digit(iccid) if facts["is_cellular"] else "",
    )
    device.set_keys()
    return device


def _plan_customers(world: World) -> None:
    for number, facts in enumerate(reversed(CUSTOMERS)):
        world.note(135 - number * 3, lambda at, facts=facts: _make_customer(world, facts, at))


def _make_customer(world: World, facts: dict[str, Any], at: datetime) -> None:
    by, name, people = world.members["fulfilment"], facts["name"], facts["people"]
    customer = Customer(
        organization=world.organization,
        name=name,
        kind=facts["kind"],
        reference=facts["reference"],
        phone=facts["phone"],
        address=facts["address"],
        created_at=at,
        email="" if facts["kind"] == CustomerKind.INTERNAL else people[0][1],
    )
    customer.set_keys()
    customer.save(force_insert=True)
    words.write("customer", {customer.pk: name}, are_new=True)
    projects.make_default(customer)
    record(customer_events.CUSTOMER_CREATED, customer, by=by, at=at)
    world.customers[name], world.people[name] = customer, []
    for person, email, role in people:
        user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=person, date_joined=at)
        row = CustomerUser.objects.create(
            organization=world.organization, customer=customer, user=user, role=role, created_at=at
        )
        record(customer_events.PERSON_INVITED, row, by=by, about=customer, at=at)
        known = {"organization": world.organization, "customers": frozenset([customer.pk]), "label": person}
        world.people[name].append(Actor(kind="customer", user=user, **known))


def _plan_profiles(world: World) -> None:
    for facts in PROFILES:
        world.note(facts["days_ago"], lambda at, facts=facts: _make_profile(world, facts, at))
        if "ends" in facts:
            world.note(facts["ends"], lambda at, facts=facts: _disable(world, facts["slug"], at))


def _make_profile(world: World, facts: dict[str, Any], at: datetime) -> None:
    """Create a profile before the devices of its product, which get their codes when they are registered."""
    by, product = world.members["product_manager"], world.products.get(facts.get("product", ""))
    extra = world.customers.get(facts.get("additional_project", ""))
    profile = ClaimProfile(
        organization=world.organization,
        slug=facts["slug"],
        name=facts["name"],
        created_at=at,
        description=facts["description"],
        product=product,
        scope=Scope.UNIT if product else Scope.LINK,
        grant=facts.get("grant", Grant.OWNERSHIP),
        max_claims=facts.get("max_claims"),
        form=facts.get("form", []),
        additional_project=projects.default_of(extra) if extra else None,
    )
    profile.set_keys()
    profile.save(force_insert=True)
    world.profiles[profile.slug] = profile
    units = [world.stock[facts["from"]].pop() for _each in range(facts["units"])] if "from" in facts else []
    title, link = DOCUMENTS[facts.get("product") or facts["document"]]
    resources = [ClaimProfileResource(profile=profile, kind=ResourceKind.DEVICE, device_id=pk) for pk in units]
    resources.append(
        ClaimProfileResource(profile=profile, kind=ResourceKind.DOCUMENT, title=title, link=link, position=9)
    )
    ClaimProfileResource.objects.bulk_create(resources)
    if "member" in facts:
        member = Member.objects.get(organization=world.organization, role=facts["member"])
        ClaimProfileMember.objects.create(profile=profile, member=member, role="operator")
    if profile.scope == Scope.LINK:
        claim_codes.make_for_profile(profile)
    record(profile_events.PROFILE_CREATED, profile, by=by, at=at)


def _disable(world: World, slug: str, at: datetime) -> None:
    profile = world.profiles[slug]
    ClaimProfile.objects.filter(pk=profile.pk).update(is_enabled=False)
    record(profile_events.PROFILE_DISABLED, profile, by=world.members["product_manager"], at=at)


def _plan_shipments(world: World) -> None:
    """Plan shipments of devices that were assigned before they left, so that the customer had nothing to do."""
    for facts in CUSTOMERS:
        left = facts["units"]
        while left > 0:
            size = min(left, world.random.randrange(12, 48))
            slug = world.random.choices(["aqua-meter", "edge-gateway", "wind-gauge"], [6, 3, 2])[0]
            _plan_shipment(world, facts["name"], slug, size)
            left -= size
    world.note(106, lambda at: _assign(world, "Northlake Engineering", _development(world), "Lab devices", at))


def _plan_shipment(world: World, name: str, slug: str, size: int) -> None:
    note = f"Order {world.random.randrange(40_000, 60_000)}"
    days_ago = world.random.uniform(1, 98)
    world.note(days_ago, lambda at: _assign(world, name, _take(world, slug, size), note, at))


def _take(world: World, slug: str, size: int) -> list[int]:
    """Take up to `size` devices out of stock, leaving at least 20."""
    stock = world.stock[slug]
    return [stock.pop() for _each in range(max(0, min(size, len(stock) - 20)))]


def _development(world: World) -> list[int]:
    units = Device.objects.filter(organization=world.organization, is_development=True)
    return list(units.order_by("pk").values_list("pk", flat=True))


def _assign(world: World, name: str, ids: list[int], note: str, at: datetime) -> None:
    if ids:
        by = world.members["fulfilment"]
        outcome = ownership.assign(ids, customer=world.customers[name], by=by, at=at, note=note)
        world.held += [(pk, name) for pk in outcome.done]


def _plan_claims(world: World) -> None:
    """Plan claims by the label in the box, with more of them recently, and visitors who got no further than a scan."""
    for name, number in [(facts["name"], facts["claims"]) for facts in CUSTOMERS]:
        for _each in range(number):
            days_ago = 90 * world.random.random() ** 1.3
            world.note(days_ago, lambda at, n=name: _claim_unit(world, n, at), office=False)
    for _each in range(140):
        world.note(90 * world.random.random(), lambda at: _give_up(world, at), office=False)


def _claim_unit(world: World, name: str, at: datetime) -> None:
    slug = world.random.choices(["aqua-meter", "edge-gateway", "wind-gauge"], [6, 2, 3])[0]
    if len(world.stock[slug]) > 20:
        device_id = world.stock[slug].pop()
        code = ClaimCode.objects.get(device=device_id, profile__product=world.products[slug])
        _claim(world, code, name, at)
        world.held.append((device_id, name))


def _claim(world: World, code: ClaimCode, name: str, at: datetime) -> None:
    """Perform a claim from scan to completion, in the two minutes before `at`."""
    for _each in range(world.random.choice([1, 1, 1, 2])):
        _step(world, code, Step.SCAN, at - timedelta(seconds=world.random.randrange(70, 120)))
    _step(world, code, Step.SIGN_IN, at - timedelta(seconds=world.random.randrange(20, 60)))
    answers = {"site": world.random.choice(ANSWERS), "cabinet": world.random.choice(["", "C1", "C2"])}
    redemption.redeem(code, customer=world.customers[name], by=world.people[name][0], host="", at=at, answers=answers)


def _give_up(world: World, at: datetime) -> None:
    """Record a visitor who stopped after the scan or the sign-in, or was refused after signing in."""
    codes = ClaimCode.objects.filter(organization=world.organization).order_by("link_sha256")
    start = f"{world.random.getrandbits(32):08x}"
    code = codes.filter(link_sha256__gte=start).first() or codes[0]
    _step(world, code, Step.SCAN, at)
    if world.random.random() < 0.55:
        _step(world, code, Step.SIGN_IN, at + timedelta(seconds=40))
        if world.random.random() < 0.6:
            cause = world.random.choices(*zip(*CAUSES, strict=True))[0]
            _step(world, code, Step.REFUSAL, at + timedelta(seconds=55), cause)


def _step(world: World, code: ClaimCode, step: Step, at: datetime, cause: str = "") -> None:
    world.steps.append(ClaimStep(profile_id=code.profile_id, code=code, step=step, cause=cause, at=at))


def _plan_shares(world: World) -> None:
    """Plan who redeems the profiles with a shared link, and when."""
    names = [facts["name"] for facts in CUSTOMERS if facts["kind"] != CustomerKind.INTERNAL]
    for facts in PROFILES:
        last = facts.get("ends", 1)
        for name in world.random.sample(names, facts.get("claims", 0)):
            days_ago = world.random.uniform(last + 2, min(facts["days_ago"], 90) - 2)
            slug = facts["slug"]
            world.note(days_ago, lambda at, n=name, s=slug: _claim_link(world, s, n, at), office=False)


def _claim_link(world: World, slug: str, name: str, at: datetime) -> None:
    _claim(world, ClaimCode.objects.get(profile=world.profiles[slug], device=None), name, at)


def _plan_returns(world: World) -> None:
    """Plan devices that come back, and some that go on to the next customer."""
    for _each in range(64):
        world.note(world.random.uniform(0.5, 86), lambda at: _unclaim(world, at))
    names = [facts["name"] for facts in CUSTOMERS if facts["units"]]
    for _each in range(26):
        name = world.random.choice(names)
        world.note(world.random.uniform(0.5, 70), lambda at, n=name: _assign_again(world, n, at))


def _unclaim(world: World, at: datetime) -> None:
    lab = {"Northlake Engineering"}
    candidates = [pair for pair in world.held if pair[1] not in lab]
    if candidates:
        pair = world.random.choice(candidates)
        world.held.remove(pair)
        ownership.unclaim([pair[0]], reason=world.random.choice(REASONS), by=world.members["support"], at=at)
        world.returned.append(pair[0])


def _assign_again(world: World, name: str, at: datetime) -> None:
    if world.returned:
        device_id = world.returned.pop(world.random.randrange(len(world.returned)))
        _tag(world, device_id, "refurbished", at)
        _assign(world, name, [device_id], "Refurbished device", at)


def _plan_notes(world: World) -> None:
    for _each in range(26):
        world.note(world.random.uniform(0.3, 60), lambda at: _write_note(world, at))
    for _each in range(34):
        world.note(world.random.uniform(0.3, 60), lambda at: _tag(world, _any(world), world.random.choice(TAGS), at))


def _any(world: World) -> int:
    pools = [pool for pool in world.stock.values() if pool] + [[pk for pk, _name in world.held]]
    return world.random.choice(world.random.choice(pools))


def _write_note(world: World, at: datetime) -> None:
    device, text = Device.objects.get(pk=_any(world)), world.random.choice(NOTES)
    if device.notes != text:
        Device.objects.filter(pk=device.pk).update(notes=text)
        record(device_events.EDITED, device, by=world.members["support"], at=at, notes=[device.notes, text])


def _tag(world: World, device_id: int, name: str, at: datetime) -> None:
    device = Device.objects.get(pk=device_id)
    before = sorted(device.device_tags.values_list("tag__name", flat=True))
    if name not in before:
        device_actions.set_tags([device_id], [*before, name], by=world.members["support"])
        after = ", ".join(sorted([*before, name]))
        record(device_events.EDITED, device, by=world.members["support"], at=at, tags=[", ".join(before), after])
