"""Creates large worlds quickly: rows by INSERT … SELECT over a series of numbers, on both databases alike."""

from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, models
from django.test import Client

from claims.models import Claim, ClaimCode, ClaimProfile, Return, Scope, Shipment
from console import sql, upkeep, words
from console.models import Event, Member, NameWord, Organization, User
from customers.models import Customer, CustomerRole, CustomerUser, Project
from devices.models import Device, DeviceTag, Ownership, Product, Tag

PASSWORD = make_password(None)
PRODUCTS = ["Aqua Meter", "Gateway", "Wind Gauge", "Soil Probe", "Door Sensor"]
# One device in this many carries the tag; "few" is on the same number of devices in every organization.
TAGS = {"lot": 10, "pilot": 100}
FEW = 60
YEAR = 365 * 24 * 60 * 60


def is_postgresql() -> bool:
    """Whether the database is PostgreSQL."""
    return connection.vendor == "postgresql"


def execute(statement: str, parameters: list | tuple = ()) -> None:
    """Run one statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def settle() -> None:
    """Run the upkeep of a server; on PostgreSQL also VACUUM ANALYZE and CHECKPOINT."""
    upkeep.tidy()
    if is_postgresql():
        execute("VACUUM ANALYZE")
        execute("CHECKPOINT")
    else:
        execute("PRAGMA wal_checkpoint(TRUNCATE)")


def series(count: int) -> str:
    """Return SQL for the numbers from 1 to `count` as `s.i`."""
    if is_postgresql():
        return f"generate_series(1::bigint, {count}) AS s(i)"
    numbers = f"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {count}) SELECT i FROM c"
    return f"({numbers}) AS s"


def padded(number: str, width: int) -> str:
    """Return SQL for a number as text, padded with zeros."""
    filled = f"'{'0' * width}' || CAST({number} AS text)"
    return f"right({filled}, {width})" if is_postgresql() else f"substr({filled}, -{width})"


def ago(seconds: str) -> str:
    """Return SQL for the time that many seconds ago."""
    if is_postgresql():
        return f"now() - make_interval(secs => {seconds})"
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ({seconds}) || ' seconds')"


def numbered_uuid(number: str) -> str:
    """Return SQL for a UUID that contains the number, which is below 10^12."""
    digits = f"'00000000' || '00004000' || '8000' || {padded(number, 12)}"
    return f"({digits})::uuid" if is_postgresql() else f"({digits})"


def insert(model: type[models.Model], columns: dict[str, str], source: str) -> None:
    """Run one INSERT … SELECT of SQL expressions by field; the other fields get their defaults."""
    constants = {}
    for each in model._meta.concrete_fields:
        # The database fills in its own defaults.
        if each.name not in columns and not each.primary_key and not each.has_db_default():
            value = (
                "" if each.empty_strings_allowed and not each.has_default() and not each.null else each.get_default()
            )
            constants[each] = each.get_db_prep_save(value, connection)
    names = [model._meta.get_field(name).column for name in columns] + [each.column for each in constants]
    chosen = [*(text.replace("%", "%%") for text in columns.values()), *(sql.placeholder(each) for each in constants)]
    source = source.replace("%", "%%")
    execute(
        f"INSERT INTO {sql.table(model)} ({', '.join(map(sql.quote, names))}) SELECT {', '.join(chosen)} FROM {source}",
        list(constants.values()),
    )


@dataclass
class World:
    """An organization with a number of devices, and everything that belongs to them."""

    name: str
    size: int
    organization: Organization = None  # type: ignore[assignment]
    member: User = None  # type: ignore[assignment]
    products: list[Product] = field(default_factory=list)
    tags: dict[str, Tag] = field(default_factory=dict)
    # The customer that owns one device in forty, and the one that owns ten or so.
    large: Customer = None  # type: ignore[assignment]
    usual: Customer = None  # type: ignore[assignment]
    units: ClaimProfile = None  # type: ignore[assignment]

    @property
    def customer_count(self) -> int:
        """One customer for twenty devices."""
        return self.size // 20

    def client(self, user: User | None = None) -> Client:
        """Return a browser in which the user, or the member, is signed in."""
        client = Client()
        client.force_login(user or self.member, settings.AUTHENTICATION_BACKENDS[0])
        return client

    def person(self, customer: Customer) -> User:
        """Return a person of the customer, for the portal."""
        user = User.objects.create(email=f"person-{customer.pk}@customer.example", password=PASSWORD, name="Dana")
        CustomerUser.objects.create(
            organization=self.organization, customer=customer, user=user, role=CustomerRole.ADMIN
        )
        return user


def make(name: str, size: int) -> World:
    """Create an organization with `size` devices, and with products, customers, tags, spans, codes and a log."""
    world = start(name, size)
    _customers(world)
    _devices(world)
    _spans(world)
    _tags(world)
    _profiles(world)
    _shipments(world)
    _returns(world)
    _events(world)
    return world


def start(name: str, size: int = 0) -> World:
    """Create an organization with an owner and products, and nothing else."""
    world = World(name, size)
    world.organization = Organization.objects.create(name=name, slug=name.lower(), requires_second_factor=False)
    world.member = User.objects.create(email=f"owner@{name.lower()}.example", password=PASSWORD, name="Alice Kemp")
    Member.objects.create(organization=world.organization, user=world.member, role="owner")
    for title in PRODUCTS:
        product = Product(organization=world.organization, name=title, slug=title.lower().replace(" ", "-"))
        product.set_keys()
        product.save()
        words.write("product", {product.pk: title})
        world.products.append(product)
    return world


def _customers(world: World) -> None:
    number = padded("s.i", 7)
    organization = str(world.organization.pk)
    named = {
        "name": f"'Customer ' || {number}",
        "name_key": f"'customer ' || {number}",
        "reference": f"'K' || {number}",
        "reference_key": f"'k' || {number}",
        "email": f"'office-' || {number} || '@customer.example'",
        "email_key": f"'office-' || {number} || '@customer.example'",
    }
    insert(Customer, {"organization": organization, "kind": "'company'", **named}, series(world.customer_count))
    make_projects(world)
    mine = f"{sql.table(Customer)} WHERE organization_id = {world.organization.pk}"
    for word in ("'customer'", "substr(name, 10)"):
        insert(NameWord, {"kind": "'customer'", "row_id": "id", "word": word}, mine)
    world.large, world.usual = Customer.objects.filter(organization=world.organization).order_by("pk")[:2]


def make_projects(world: World) -> None:
    """Create a default project for each customer."""
    source = f"{sql.table(Customer)} WHERE organization_id = {world.organization.pk} ORDER BY id"
    insert(Project, {"organization": "organization_id", "customer": "id", "name": "name", "is_default": "TRUE"}, source)


def device_columns(world: World, serial: str, product: str) -> dict[str, str]:
    """Return the columns of devices in stock, numbered by `s.i`; `serial` is an expression for their digits."""
    key, wide = f"{world.organization.pk:04d}", padded("s.i", 12)
    return {
        "organization": str(world.organization.pk),
        "product": product,
        "status": "'in_stock'",
        "serial_number": f"'AQM26-' || {serial}",
        "serial_key": f"'aqm26-' || {serial}",
        "device_name": f"'e00fce68{key}' || {wide}",
        "name_key": f"'e00fce68{key}' || {wide}",
        "imei": f"'352' || {wide}",
        "iccid": f"'8944{key}' || {wide}",
        "mac": f"'E0:4F:' || {wide}",
        "hardware_revision": "'C1'",
    }


def _devices(world: World) -> None:
    """Create the devices: serial numbers are in another order than the ids, as in reality; every second is owned."""
    first, count = world.large.pk, world.customer_count
    owner = f"CASE WHEN s.i % 20 = 0 THEN {first} ELSE {first} + 1 + (s.i / 2) % {count - 1} END"
    columns = device_columns(world, padded(f"(s.i * 7919) % {world.size}", 7), f"{world.products[0].pk} + s.i % 5")
    columns |= {
        "status": "CASE WHEN s.i % 2 = 0 THEN 'owned' WHEN s.i % 25 = 1 THEN 'returned' "
        "WHEN s.i % 25 = 3 THEN 'scrapped' WHEN s.i % 50 = 5 THEN 'reserved' ELSE 'in_stock' END",
        "customer": f"CASE WHEN s.i % 2 = 0 THEN {owner} END",
        "is_development": "s.i % 100 = 9",
        "created_at": ago(f"({world.size} - s.i) * {YEAR // world.size}.0"),
        "archived_at": f"CASE WHEN s.i % 50 = 7 THEN {ago('3600')} END",
    }
    insert(Device, columns, series(world.size))


def _spans(world: World) -> None:
    """Create an open span for each owned device, and for one in ten an older one of another customer."""
    owned = f"{sql.table(Device)} AS d JOIN {sql.table(Project)} AS p ON p.customer_id = d.customer_id"
    mine = f"d.organization_id = {world.organization.pk}"
    columns = {
        "organization": "d.organization_id",
        "device": "d.id",
        "customer": "d.customer_id",
        "project": "p.id",
        "start_reason": "'assignment'",
        "started_by": "'Alice Kemp'",
        "started_at": ago("d.id % 86400"),
    }
    insert(Ownership, columns, f"{owned} WHERE {mine} ORDER BY d.id")
    past = columns | {
        "started_at": ago("400000 + d.id % 86400"),
        "ended_at": ago("200000 + d.id % 86400"),
        "end_reason": "'unclaim'",
        "ended_by": "'Bob Adeyemi'",
    }
    insert(Ownership, past, f"{owned} WHERE {mine} AND d.id % 10 = 0 ORDER BY d.id")


def _tags(world: World) -> None:
    devices = f"{sql.table(Device)} WHERE organization_id = {world.organization.pk}"
    parts = {name: f"{devices} AND id % {share} = 3 ORDER BY id" for name, share in TAGS.items()}
    parts["few"] = f"{devices} AND id % {world.size // FEW} = 3 ORDER BY id"
    for name, source in parts.items():
        tag = Tag.objects.create(organization=world.organization, name=name, name_key=name)
        insert(DeviceTag, {"tag": str(tag.pk), "device": "id"}, source)
        world.tags[name] = tag


def _profiles(world: World) -> None:
    """Create many profiles, and one whose codes one device in ten has, every second of which was claimed."""
    organization = world.organization.pk
    number = padded("s.i", 6)
    columns = {
        "organization": str(organization),
        "slug": f"'offer-' || {number}",
        "name": f"'Offer ' || {number}",
        "name_key": f"'offer ' || {number}",
        "scope": "'link'",
        "grant": "'ownership'",
    }
    insert(ClaimProfile, columns, series(max(200, world.size // 500)))
    world.units = ClaimProfile(
        organization=world.organization, slug="units", name="Units", scope=Scope.UNIT, product=world.products[0]
    )
    world.units.set_keys()
    world.units.save()
    _codes(world)
    _claims(world)


def _codes(world: World) -> None:
    """Create the codes of the profile of units, for one device in ten."""
    organization = world.organization.pk
    unit = numbered_uuid(f"{organization} * 100000000 + id")
    fake = {
        name: f"'{word}' || {padded('id', 60)}"
        for name, word in {"link_sha256": "link", "typed_sha256": "type"}.items()
    }
    key = next(iter(settings.CLAIM_KEYS))
    insert(
        ClaimCode,
        {
            "id": unit,
            "organization": "organization_id",
            "profile": str(world.units.pk),
            "device": "id",
            "key_id": f"'{key}'",
        }
        | fake,
        f"{sql.table(Device)} WHERE organization_id = {organization} AND id % 10 IN (0, 5) "
        f"AND product_id = {world.products[0].pk} ORDER BY id",
    )


def _claims(world: World) -> None:
    """Create a claim for each code whose device is owned: by its customer, into their project."""
    source = (
        f"{sql.table(ClaimCode)} AS c JOIN {sql.table(Device)} AS d ON d.id = c.device_id "
        f"JOIN {sql.table(Project)} AS p ON p.customer_id = d.customer_id "
        f"WHERE c.profile_id = {world.units.pk} ORDER BY d.id"
    )
    insert(
        Claim,
        {
            "organization": "d.organization_id",
            "profile": "c.profile_id",
            "code": "c.id",
            "code_version": "1",
            "is_unit": "TRUE",
            "customer": "d.customer_id",
            "user": str(world.member.pk),
            "project": "p.id",
            "at": ago("(d.id * 37) % 8000000"),
        },
        source,
    )


def _shipments(world: World) -> None:
    """Create a shipment for each customer; the newest are being packed, one in fifty was cancelled."""
    state = "CASE WHEN s.i % 5 = 0 THEN 'open' WHEN s.i % 50 = 1 THEN 'cancelled' ELSE 'shipped' END"
    columns = {
        "organization": str(world.organization.pk),
        "number": "s.i",
        "customer": f"{world.large.pk} + s.i % {world.customer_count}",
        "order_number": f"'PO-' || {padded('s.i', 7)}",
        "order_key": f"'po-' || {padded('s.i', 7)}",
        "state": state,
        "unit_count": "10",
        "created_by": "'Felix Okafor'",
        "shipped_at": f"CASE WHEN ({state}) = 'shipped' THEN {ago('s.i')} END",
    }
    insert(Shipment, columns, series(world.customer_count))


def _returns(world: World) -> None:
    """Create a return for each device in quarantine, and a closed one for each tenth device that is owned again."""
    mine = f"{sql.table(Device)} WHERE organization_id = {world.organization.pk}"
    columns = {
        "organization": "organization_id",
        "device": "id",
        "number": "id",
        "reason": "CASE WHEN id % 40 = 0 THEN 'Wrong item' ELSE 'Defective' END",
        "received_at": ago("id % 86400"),
        "received_by": "'Bob Adeyemi'",
    }
    here = columns | {"state": "'received'", "needs_label": "id % 4 = 1", "customer": str(world.usual.pk)}
    past = columns | {"state": "'restocked'", "customer": "customer_id", "grade": "'b'"}
    insert(Return, past, f"{mine} AND status = 'owned' AND id % 10 = 0 ORDER BY id")
    insert(Return, here, f"{mine} AND status = 'returned' ORDER BY id")


def _events(world: World) -> None:
    """Create a line of the log for each device that was registered, and one for each that was assigned."""
    table = sql.table(Device)
    columns = {
        "organization": "d.organization_id",
        "at": "d.created_at",
        "subject_kind": "'device'",
        "subject_id": "d.id",
        "subject_label": "d.serial_number",
        "actor_id": str(world.member.pk),
        "actor_label": "'Alice Kemp'",
    }
    mine = f"d.organization_id = {world.organization.pk}"
    insert(Event, columns | {"kind": "'device.registered'"}, f"{table} AS d WHERE {mine} ORDER BY d.id")
    customers = f"{table} AS d JOIN {sql.table(Customer)} AS c ON c.id = d.customer_id WHERE {mine} ORDER BY d.id"
    insert(
        Event,
        columns
        | {"kind": "'device.assigned'", "object_kind": "'customer'", "object_id": "c.id", "object_label": "c.name"},
        customers,
    )
