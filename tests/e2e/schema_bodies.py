"""Mends the bodies and queries that schemathesis makes up, where a field names something or fields go together."""

from collections.abc import Callable
from typing import Any

from tests.e2e import schema_things as things
from tests.e2e.schema_things import CUSTOMER, IS_CUSTOMER, PRODUCT, PROFILE, UNITS, number

Body = dict[str, Any]
ADDRESS = "fuzz-{n}@example.com"
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
# What only the organization's keys may ask devices for.
OF_STAFF = ("product", "customer", "tag", "q", "development", "archived")
# Which of them was taken, a customer's key does not ask.
DECISIONS = ("restocked", "refurbished", "scrapped")


def mend_query(name: str, query: dict[str, Any]) -> None:
    """Names in a query are those of things that there are; a cursor is one that a page gave."""
    query.pop("cursor", None)
    for field, value in {"product": PRODUCT, "profile": UNITS, "tag": "lot-7", "customer": CUSTOMER}.items():
        if field in query:
            query[field] = value
    if name.startswith(("message", "project_message")) and IS_CUSTOMER:
        # Whoever asks for a time in which he owned nothing is told so with a 403.
        query.pop("to", None)
    if "reason" in query and name.startswith("return"):
        query["reason"] = things.reason()
    if name == "device_list" and IS_CUSTOMER:
        for field in OF_STAFF:
            query.pop(field, None)
    if name == "return_list" and IS_CUSTOMER and query.get("state") in DECISIONS:
        query["state"] = "done"


def mend(name: str, body: Body, thing: Body) -> None:
    """Mend the body of a call, whose address leads to the thing."""
    for field, value in body.items():
        body[field] = _plain(value)
    if name in MENDERS:
        MENDERS[name](body, thing)


def _plain(value: Any) -> Any:
    """Texts without what nobody can see; where nothing is left, something."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {_plain(name): _plain(each) for name, each in value.items()}
    if not isinstance(value, str):
        return value
    seen = "".join(each for each in value if each.isprintable() or each in "\n\t").strip()
    return seen or (value and "x")


def _named(body: Body, devices: list[Body]) -> None:
    field = body.get("named_by", "serial_number")
    body["devices"] = [str(device[field]) for device in devices]


def _units(body: Body, thing: Body) -> None:
    _named(body, [things.unit()])


def _owned(body: Body, thing: Body) -> None:
    _named(body, [things.unit(owned=True)])
    body["reason"] = things.reason()


def _packed(body: Body, thing: Body) -> None:
    if "serial" in thing:
        body["devices"], body["named_by"] = [thing["serial"]], "serial_number"


def _device(body: Body, thing: Body) -> None:
    n = number()
    if "product" in body:
        body["product"] = PRODUCT
    if "product" in body and thing.get("device_name"):
        body["product"] = str(thing["product"]["id"])
    for field, made in {"serial_number": f"FD-{n:06d}", "device_name": f"body{n:08d}"}.items():
        if field in body:
            body[field] = made
    if body.get("mac"):
        # An odd second digit would be for multicast, which no device is.
        body["mac"] = f"{body['mac'][0]}0:" + ":".join(f"{n:08X}"[at : at + 2] for at in (0, 2, 4, 6)) + ":01"
    for field, kept in {"imei": 0, "iccid": 5}.items():
        if body.get(field):
            length = len(body[field])
            body[field] = _with_luhn(f"{body[field][:kept]}{n:0{length - kept - 1}d}0")


def _with_luhn(digits: str) -> str:
    """The digits with the last one made right."""
    total = 0
    for place, digit in enumerate(reversed(digits[:-1])):
        value = int(digit) * (1 if place % 2 else 2)
        total += value // 10 + value % 10
    return f"{digits[:-1]}{-total % 10}"


def _profile(body: Body, thing: Body) -> None:
    n = number()
    # Whether it is of units or one for all can't change once there are codes.
    if "version" in body:
        body["version"] = thing.get("version", 1)
        body.pop("scope", None)
    is_of_units = body.get("scope") == "unit"
    if "slug" in body:
        body["slug"] = f"{body['slug'][:40]}{n}"
    if body.get("product") is not None:
        body["product"] = PRODUCT if is_of_units else None
    if body.get("domain") is not None:
        body["domain"] = "claim.northlake.example"
    if body.get("additional_project") is not None:
        body["additional_project"] = None
    if "devices" in body:
        body["devices"] = [] if is_of_units or not body["devices"] else [things.unit()["serial_number"]]
    if "documents" in body:
        body["documents"] = [
            {"title": each["title"], "link": f"https://example.com/{place}"}
            for place, each in enumerate(body["documents"])
        ]
    if "members" in body:
        body["members"] = [each | {"email": "alice@northlake.example"} for each in body["members"][:1]]
    for place, each in enumerate(body.get("questions", [])):
        each["label"] = f"{each['label'][:50]} {place}"
        each.pop("name", None)
    if "valid_from" in body or "valid_until" in body:
        body |= {"valid_from": "2026-01-01T00:00:00Z", "valid_until": "2190-01-01T00:00:00Z"}


def _shipment(body: Body, thing: Body) -> None:
    if "customer" in body:
        body["customer"] = CUSTOMER
    if "lines" in body:
        body["lines"] = [each | {"product": PRODUCT} for each in body["lines"][:1]]


def _webhook(body: Body, thing: Body) -> None:
    if "url" in body:
        body["url"] = f"https://example.com/hooks/{number()}"
    if body.get("customer") is not None:
        body["customer"] = CUSTOMER
        body.pop("product", None)
    elif body.get("product") is not None:
        body["product"] = "1"
    if "message" not in body.get("events", ()):
        body.pop("message_names", None)


def _inspect(body: Body, thing: Body) -> None:
    body["returns"] = [things.received()["id"]]
    points = things.ask("GET", "/returns/choices")["checks"]
    said = [each["is_ok"] for each in body.get("checks", [])]
    body["checks"] = [{"text": text, "is_ok": all(said)} for text in points]
    body.setdefault("grade", "b")


def _swap(body: Body, thing: Body) -> None:
    body |= {"replacement": things.unit()["serial_number"], "reason": things.reason()}


def _take(body: Body, thing: Body) -> None:
    device = things.unit()
    body |= {name: device[name] for name in ("serial_number", "device_name")}


def _redeem(body: Body, thing: Body) -> None:
    body["code"] = things.ask("GET", f"/claim-profiles/{PROFILE}/code")["typed_code"]


def _product(body: Body, thing: Body) -> None:
    n = number()
    for field in ("name", "slug"):
        if body.get(field):
            body[field] = f"{body[field][:40]}{n}"
    if "ownership_mode" in body or "single_account" in body:
        body.pop("single_account", None)
        body["ownership_mode"] = "customer"


def _project(body: Body, thing: Body) -> None:
    if "name" in body:
        body["name"] = f"{body['name'][:80]} {number()}"
    if "customer" in body:
        body["customer"] = CUSTOMER


def _labels(body: Body, thing: Body) -> None:
    _units(body, thing)
    # Some stocks are rolls.
    body["start"] = 1
    if body.get("claim_profile") is not None:
        body["claim_profile"] = PROFILE


def _organization(body: Body, thing: Body) -> None:
    if "time_zone" in body:
        body["time_zone"] = "Europe/Berlin"
    if body.get("support_email"):
        body["support_email"] = "help@example.com"


def _return_settings(body: Body, thing: Body) -> None:
    # One at least of each is left.
    usual = {"reasons": {"is_archived": False, "is_for_customers": True}, "checks": {"is_archived": False}}
    for name, first in usual.items():
        if not body.get(name):
            body.pop(name, None)
        for place, row in enumerate(body.get(name, [])):
            row.pop("id", None)
            row["text"] = f"{row['text'][:60]} {place}"
            row |= {} if place else first


def _version(body: Body, thing: Body) -> None:
    body["version"] = thing.get("version", 1)


def _fields(**texts: str) -> Callable[[Body, Body], None]:
    """Puts these in, where the fields are there and not empty; {n} is another number each time."""

    def put(body: Body, thing: Body) -> None:
        body |= {name: text.format(n=number()) for name, text in texts.items() if body.get(name)}

    return put


def _request(body: Body, thing: Body) -> None:
    body |= {"device": things.unit(owned=True)["id"], "reason": things.reason()}


def _changes(body: Body, thing: Body) -> None:
    _sheet(body, f"device_name,notes\n{things.unit()['device_name']},{number()}\n")


def _devices(body: Body, thing: Body) -> None:
    n = number()
    body["product"] = PRODUCT
    _sheet(body, f"serial_number,device_name\nFS-{n:06d},sheet{n:08d}\n")


def _customers(body: Body, thing: Body) -> None:
    _sheet(body, f"name\nSheet {number()}\n")


def _sheet(body: Body, csv: str) -> None:
    """A file with its columns, as text: a file without them is refused."""
    for field in ("file", "encoding", "sheet"):
        body.pop(field, None)
    body["csv"] = csv


# What the organization has to say here, a customer may leave out, so the document can't ask for it.
TOLD_MORE = {"ownership_release"}
MENDERS: dict[str, Callable[[Body, Body], None]] = {
    "claim_profile_add_units": _units,
    "claim_profile_create": _profile,
    "claim_profile_edit": _profile,
    "claim_redeem": _redeem,
    "customer_create": _fields(email=ADDRESS),
    "customer_edit": _fields(email=ADDRESS),
    "customer_import_apply": _version,
    "device_changes_apply": _version,
    "device_changes_create": _changes,
    "device_create": _device,
    "device_edit": _device,
    "device_import_apply": _version,
    "device_import_create": _devices,
    "customer_import_create": _customers,
    "device_swap": _swap,
    "domain_create": _fields(host="d{n}.example.com"),
    "label_queue_done": _units,
    "label_sheet_create": _labels,
    "organization_edit": _organization,
    "organization_logo_set": _fields(picture=PICTURE),
    "owner_assign": lambda body, thing: body.update(customer=CUSTOMER),
    "ownership_release": lambda body, thing: body.update(reason="Sold"),
    "ownership_take": _take,
    "product_create": _product,
    "product_edit": _product,
    "project_create": _project,
    "project_edit": _project,
    "return_inspect": _inspect,
    "return_receive": _owned,
    "return_settings_edit": _return_settings,
    "return_request": _request,
    "shipment_create": _shipment,
    "shipment_edit": _shipment,
    "shipment_unpack": _packed,
    "webhook_create": _webhook,
    "webhook_edit": _webhook,
}
