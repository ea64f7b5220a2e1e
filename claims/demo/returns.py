"""The returns of the demo organization: requested in the portal or sent unannounced, received, and inspected."""

from datetime import datetime
from typing import Any

from claims.models import Return, ReturnSettings
from claims.returns.actions import inspection as return_inspection
from claims.returns.actions import returns
from claims.returns.actions.inspection import Findings
from claims.returns.choices import default_checks, default_reasons
from devices.models import Device, DeviceStatus

# The number of returns that end in each state.
ENDS = {"requested": 6, "received": 7, "inspected": 4, "restocked": 7, "refurbished": 4, "scrapped": 3, "cancelled": 2}
NOTES = ["Blinks red since Monday", "Shows E4", "Ordered one too many", "No signal in the basement", "Box was wet", ""]
DECIDED = ("restocked", "refurbished", "scrapped")


def plan(world: Any) -> None:
    """Add the steps of each return to the diary. A return ends early if its device went elsewhere in the meantime."""
    ReturnSettings.objects.create(
        organization=world.organization,
        address="Northlake Sensors\nReturns, dock 3\nHirschbachstr. 24\n73430 Aalen\nGermany",
        note="Please pack the power supply too.",
    )
    for end, number in ENDS.items():
        for each in range(number):
            _plan_one(world, end, each)


def _plan_one(world: Any, end: str, number: int) -> None:
    story: dict[str, Any] = {}
    last = world.random.uniform(3, 40) if end in DECIDED else world.random.uniform(0.2, 3)
    if number % 2 or end in {"requested", "cancelled"}:
        days_ago = last if end == "requested" else last + 9
        world.note(days_ago, lambda at: _request(world, story, at), office=False)
    if end == "cancelled":
        world.note(last + 4, lambda at: _cancel(world, story, at), office=False)
    if end in {"received", "inspected", *DECIDED}:
        world.note(last + (0 if end == "received" else 4), lambda at: _receive(world, story, at))
    if end in {"inspected", *DECIDED}:
        world.note(last, lambda at: _inspect(world, story, end if end in DECIDED else "", at))


def _take(world: Any, story: dict[str, Any]) -> bool:
    """Choose a device owned by a customer with portal users. Returns whether the chosen device is still owned."""
    held = [pair for pair in world.held if world.people.get(pair[1]) and pair[1] != "Northlake Engineering"]
    if held and "device" not in story:
        pair = world.random.choice(held)
        world.held.remove(pair)
        story["name"], story["device"] = pair[1], pair[0]
    return "device" in story and Device.objects.filter(pk=story["device"], status=DeviceStatus.OWNED).exists()


def _request(world: Any, story: dict[str, Any], at: datetime) -> None:
    if "return" in story or not _take(world, story):
        return
    reason = world.random.choice([choice.text for choice in default_reasons() if choice.is_for_customers])
    device = Device.objects.select_related("organization").get(pk=story["device"])
    story["return"] = returns.request(
        device,
        customer=world.customers[story["name"]],
        reason=reason,
        note=world.random.choice(NOTES),
        by=world.people[story["name"]][0],
        at=at,
    )


def _cancel(world: Any, story: dict[str, Any], at: datetime) -> None:
    if "return" in story:
        returns.cancel(story["return"], by=world.people[story["name"]][0], at=at)


def _receive(world: Any, story: dict[str, Any], at: datetime) -> None:
    if not _take(world, story):
        return
    reason = "" if "return" in story else world.random.choice([choice.text for choice in default_reasons()])
    returns.receive([story["device"]], reason=reason, by=world.members["support"], at=at, tells_owner=False)
    story["return"] = Return.objects.under_way().get(device=story["device"])


def _inspect(world: Any, story: dict[str, Any], decision: str, at: datetime) -> None:
    if "return" not in story or not Return.objects.filter(pk=story["return"].pk, state="received").exists():
        return
    by, is_scrap = world.members["support"], decision == "scrapped"
    checks = [{"text": c.text, "is_ok": not is_scrap or n == 3} for n, c in enumerate(default_checks())]
    findings = Findings("d" if is_scrap else world.random.choice("abbc"), "", checks)
    return_inspection.inspect([story["return"].pk], findings, decision=decision, by=by, at=at)
    if decision in {"restocked", "refurbished"} and world.random.random() < 0.6:
        returns.labels_printed([story["device"]], by=by, at=at)
    if decision in {"restocked", "refurbished"}:
        world.returned.append(story["device"])
