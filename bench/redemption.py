"""Claims over HTTP by eight clients, against the same statements run by pgbench with eight clients.

Every claim has a number, and every row that it needs has an id that follows from the number: so the statements that one
claim sends are recorded once, and replayed by pgbench for other numbers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import median, quantiles

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bench import clients, pgbench, server
from bench.data import (
    PASSWORD,
    World,
    device_columns,
    execute,
    insert,
    is_postgresql,
    numbered_uuid,
    padded,
    series,
    settle,
    start,
)
from bench.report import Line, milliseconds
from claims.models import ClaimCode, ClaimProfile, ClaimProfileResource, Grant, ResourceKind, Scope
from claims.profiles.actions import codes as claim_codes
from claims.redemption.session import KEY
from console.models import User
from customers.models import Customer, CustomerUser, Project
from devices.models import Device

CLIENTS = 8
ROUNDS = 3
# How many times as many claims pgbench makes, because it is that much faster.
LONGER = 3
LEAST, MOST_SPREAD = 0.1, 5.0
# The ids of the rows of claim number k begin here, far from each other and from all assigned ids.
FIRST = {User: 110_000_000, Customer: 120_000_000, Project: 130_000_000, ClaimProfile: 140_000_000, Device: 150_000_000}
FIRST_CLAIM = 190_000_000
NONCE = "n" * 22
SECRET = "c" * 32


@dataclass(frozen=True)
class Plan:
    """What the claimants claim: each their own profile and device, or all of them one profile."""

    work: str
    code: Callable[[int], ClaimCode]


def session_key(number: int) -> str:
    """Return the session key of claim number k."""
    return f"bench{number:027d}"


def people(world: World, count: int) -> None:
    """Create `count` claimants, each the admin of a customer of their own, with its default project."""
    organization, number = str(world.organization.pk), padded("s.i", 9)
    ids = {model: f"{first} + s.i" for model, first in FIRST.items()}
    insert(
        User,
        {
            "id": ids[User],
            "email": f"'dana' || {number} || '@customer.example'",
            "name": f"'Dana ' || {number}",
            "password": f"'{PASSWORD}'",
        },
        series(count),
    )
    owner = {"organization": organization, "customer": ids[Customer]}
    name = f"'Customer ' || {number}"
    columns = {"id": ids[Customer], "organization": organization, "kind": "'company'", "name": name}
    insert(Customer, columns | {"name_key": f"'customer ' || {number}"}, series(count))
    insert(Project, {"id": ids[Project], **owner, "is_default": "TRUE", "name": name}, series(count))
    insert(
        CustomerUser,
        {**owner, "user": ids[User], "role": "'admin'"},
        series(count),
    )


def things(world: World, count: int) -> None:
    """Create `count` devices, each in a profile of its own with a code of its own."""
    organization, number = str(world.organization.pk), padded("s.i", 9)
    device, profile = f"{FIRST[Device]} + s.i", f"{FIRST[ClaimProfile]} + s.i"
    insert(Device, device_columns(world, number, str(world.products[0].pk)) | {"id": device}, series(count))
    insert(
        ClaimProfile,
        {
            "id": profile,
            "organization": organization,
            "slug": f"'offer-' || {number}",
            "scope": "'link'",
            "name": f"'Offer ' || {number}",
            "name_key": f"'offer ' || {number}",
            "grant": "'ownership'",
        },
        series(count),
    )
    insert(
        ClaimProfileResource, {"profile": profile, "device": device, "kind": "'device'", "position": "0"}, series(count)
    )
    insert(
        ClaimCode,
        {
            "id": numbered_uuid("s.i"),
            "organization": organization,
            "profile": profile,
            "key_id": f"'{claim_codes.codes.current_key()}'",
            "link_sha256": f"'link' || {padded('s.i', 60)}",
            "typed_sha256": f"'type' || {padded('s.i', 60)}",
        },
        series(count),
    )


def hot_code(world: World, number: int) -> ClaimCode:
    """Return the code of one profile that gives anybody access to the device of that number."""
    profile = ClaimProfile(
        organization=world.organization, slug="hot", name="Hot", scope=Scope.LINK, grant=Grant.ACCESS
    )
    profile.set_keys()
    profile.save()
    device = Device.objects.get(pk=FIRST[Device] + number)
    ClaimProfileResource.objects.create(profile=profile, kind=ResourceKind.DEVICE, device=device)
    return claim_codes.make_for_profile(profile)


def sign_in(plan: Plan, numbers: range) -> None:
    """Create a session for each claimant, with the code pending as if it had just been scanned."""
    backend, store = settings.AUTHENTICATION_BACKENDS[0], SessionStore()
    proof, now = User(password=PASSWORD).get_session_auth_hash(), timezone.now()
    rows = []
    for number in numbers:
        code = plan.code(number)
        pending = {"nonce": NONCE, "code": str(code.pk), "version": code.version, "at": int(now.timestamp())}
        user = {"_auth_user_id": str(FIRST[User] + number), "_auth_user_backend": backend, "_auth_user_hash": proof}
        rows.append(
            Session(
                session_key=session_key(number),
                session_data=store.encode(user | {KEY: pending}),
                expire_date=now + timedelta(days=1),
            )
        )
    Session.objects.filter(session_key__startswith="bench").delete()
    Session.objects.bulk_create(rows, batch_size=500)


def statements(number: int) -> tuple[list[str], list[str]]:
    """Return the statements of this claim: those of the whole request, and those of its transaction alone."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session_key(number)
    with CaptureQueriesContext(connection) as captured:
        response = client.post(reverse("claim:redeem"), {"nonce": NONCE})
    assert response.status_code == 303 and "/c/done/" in response["Location"], (response.status_code, response.content)
    whole = [query["sql"] for query in captured]
    begins = [place for place, text in enumerate(whole) if text.startswith("BEGIN")]
    ends = [place for place, text in enumerate(whole) if text.startswith("COMMIT")]
    claim = next(place for place, text in enumerate(whole) if text.startswith('INSERT INTO "claims_claim"'))
    first, last = max(b for b in begins if b < claim), min(e for e in ends if e > claim)
    return whole, whole[first : last + 1]


def by_http(numbers: range) -> clients.Result:
    """Let eight clients claim these numbers, each its share."""
    with server.running() as port:
        orders = [[session_key(number) for number in numbers[share::CLIENTS]] for share in range(CLIENTS)]
        return clients.run(
            port,
            orders,
            reverse("claim:redeem"),
            reverse("portal:home"),
            settings.SESSION_COOKIE_NAME,
            settings.CSRF_COOKIE_NAME,
            SECRET,
            {"nonce": NONCE},
        )


def claims_of(share: int) -> int:
    """Return how many claims one plan takes: by hand, over HTTP, and twice by pgbench."""
    return 1 + share * CLIENTS * ROUNDS * (1 + 2 * LONGER)


def measure_plan(plan: Plan, share: int) -> Iterator[Line]:
    """Measure one plan: a claim to record the statements, then rounds of HTTP and pgbench in turns."""
    sign_in(plan, range(1, claims_of(share) + 1))
    whole, part = statements(1)
    scripts = {
        "whole": pgbench.script(whole, 1, FIRST, session_key),
        "part": pgbench.script(part, 1, FIRST, session_key),
    }
    ours, theirs, latencies, next_number = [], {"whole": [], "part": []}, [], 2
    for _round in range(ROUNDS):
        settle()
        numbers = range(next_number, next_number + share * CLIENTS)
        result = by_http(numbers)
        assert result.claims == len(numbers), result.failures[:3]
        ours.append(result.claims / result.seconds)
        latencies += result.latencies
        next_number = numbers.stop
        for name, script in scripts.items() if is_postgresql() else ():
            theirs[name].append(pgbench.run(script, CLIENTS, share * LONGER, next_number))
            next_number += share * CLIENTS * LONGER
    yield from against_pgbench(
        plan,
        median(ours),
        {f"the request's {len(whole)}": theirs["whole"], f"the transaction's {len(part)}": theirs["part"]},
    )
    p50, p95 = median(latencies), quantiles(latencies, n=20)[-1]
    yield Line(
        f"claims over HTTP, {plan.work}, p95 against p50",
        milliseconds(p95),
        milliseconds(p50),
        p95 / p50,
        most=MOST_SPREAD,
    )


def against_pgbench(plan: Plan, rate: float, theirs: dict[str, list[float]]) -> Iterator[Line]:
    """Yield the claims per second over HTTP beside pgbench's with the named statements, on PostgreSQL."""
    said = f"{rate:,.0f} claims/s"
    if not is_postgresql():
        yield Line(f"claims over HTTP, {plan.work}", said, "–")
        return
    for words, rates in theirs.items():
        peer = median(rates)
        yield Line(
            f"claims over HTTP, {plan.work}, against {words} statements by pgbench",
            said,
            f"{peer:,.0f}/s",
            rate / peer,
            least=LEAST,
        )


def measure(bulk: int) -> Iterator[Line]:
    """Measure distinct profiles and devices, then one hot profile."""
    share = 150 if bulk > 10_000 else 25
    total = claims_of(share)
    world = start("Northlake")
    people(world, total)
    things(world, total + 1)
    if is_postgresql():
        execute(f"SELECT setval(pg_get_serial_sequence('claims_claim', 'id'), {FIRST_CLAIM})")
    hot = hot_code(world, total + 1)
    connection.ensure_connection()
    own = {code.profile_id: code for code in ClaimCode.objects.filter(profile__gt=FIRST[ClaimProfile])}
    yield from measure_plan(Plan("a profile each", lambda number: own[FIRST[ClaimProfile] + number]), share)
    yield from measure_plan(Plan("one hot profile", lambda number: hot), share)
