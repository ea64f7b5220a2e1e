"""The return workbench: the response to each scan, and the devices on the workbench. The form holds their ids."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from claims.models import Return, Shipment
from claims.returns import verdicts
from claims.returns.actions import returns
from claims.scanning import answers, next_steps, scans, sentences
from claims.scanning import queue as scan_queue
from claims.scanning.answers import BAD, OK, WARN, Answer
from claims.scanning.scans import Scan
from console.access import Actor
from console.numbers import ids_of
from console.requests import Request
from devices.models import Device, DeviceStatus, Ownership

# As many devices as a person can oversee; a pasted list has the same limit.
MOST = 500
DAYS_A_MONTH = 30.44


@dataclass
class Line:
    """One device on the workbench, with the facts that support needs."""

    device: Device
    verdict: verdicts.Verdict
    under_way: Return | None = None
    span: Ownership | None = None
    shipment: Shipment | None = None
    first_owned: datetime | None = None
    packed_in: Shipment | None = None
    is_asked: bool = False

    @property
    def is_received(self) -> bool:
        """Whether the device will be received as things are now."""
        return self.verdict.is_fit or (self.verdict.can_anyway and self.is_asked)

    @property
    def made_ago(self) -> str:
        """The time since the device was manufactured."""
        return age(self.device.manufactured_on)

    @property
    def owned_ago(self) -> str:
        """The time since the device first had an owner."""
        return age(timezone.localtime(self.first_owned).date() if self.first_owned else None)


@dataclass
class Workbench:
    """The devices on the workbench, the newest scan first, and the answers to the last scans."""

    ids: list[int] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def tone(self) -> str:
        """The most serious tone of the answers, which decides the sound."""
        return answers.tone(self.answers)

    @property
    def joined(self) -> str:
        """The ids as the form stores them."""
        return ",".join(map(str, self.ids))

    @property
    def fit(self) -> int:
        """The number of devices that would be received."""
        return sum(line.is_received for line in self.lines)

    @property
    def owned(self) -> int:
        """The number of devices that would be taken from an owner."""
        return sum(line.device.customer_id is not None for line in self.lines)

    @property
    def asks_reason(self) -> bool:
        """Whether a device would be received for which no reason is known."""
        return any(line.is_received and not (line.under_way and line.under_way.reason) for line in self.lines)


def open_workbench(request: Request, *, scans_too: bool = True) -> Workbench:
    """Return the workbench in the form or the URL, after what was scanned, chosen or removed.

    Without `scans_too` it is returned as it was last shown.
    """
    data = request.POST if request.method == "POST" else request.GET
    workbench = Workbench(ids_of([data.get("ids", "")])[:MOST], set(ids_of(data.getlist("anyway"))))
    actor: Actor = request.actor
    if request.method == "POST" and scans_too:
        _change(request, workbench, actor)
    workbench.lines = _lines(workbench, actor)
    if request.method == "POST" and data.get("restore"):
        # The browser restores a workbench that it had put aside: remove what was received in the meantime.
        workbench.lines = [line for line in workbench.lines if line.verdict.code != "in_quarantine"]
        workbench.ids = [line.device.pk for line in workbench.lines]
    workbench.answers = next_steps.offered(workbench.answers, actor)
    return workbench


def _change(request: Request, workbench: Workbench, actor: Actor) -> None:
    """Apply the button that was pressed. Only the Add button submits the scan field."""
    data = request.POST
    if removed := ids_of([data.get("remove", "")]):
        workbench.ids = [pk for pk in workbench.ids if pk not in removed]
    elif chosen := ids_of([data.get("choose", "")]):
        rows = list(Device.objects.visible_to(actor).filter(pk__in=chosen[:1]))
        workbench.answers += [_put(workbench, device, _under_way(actor, rows)) for device in rows]
    elif sent := scan_queue.read(data, actor):
        _scan_all(workbench, actor, list(sent.values()))
    elif request.htmx.trigger_name != "anyway" and not data.get("restore"):
        _scan_all(workbench, actor, scans.lines("\n".join([data.get("list", ""), data.get("scan", "")])))


def age(day: date | None) -> str:
    """Return how long ago a day was: in days, then months, then years and months."""
    if day is None:
        return ""
    days = max(0, (timezone.localdate() - day).days)
    months = int(days / DAYS_A_MONTH)
    if months < 2:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if months < 24:
        return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
    return _("%(years)d yr %(months)d mo") % {"years": months // 12, "months": months % 12}


def _scan_all(workbench: Workbench, actor: Actor, texts: list[str]) -> None:
    lines = scans.split(actor, texts)
    found = [
        (scan, text if len(line) == 1 else scan.text) for text, line in zip(texts, lines, strict=True) for scan in line
    ]
    under_way = _under_way(actor, [device for scan, _text in found for device in scan.devices])
    under_way |= {scan.returned.device_id: scan.returned for scan, _text in found if scan.returned}
    workbench.answers += [replace(_scan(workbench, scan, under_way), scanned=text) for scan, text in found]
    workbench.answers += sentences.notes([scan for scan, _text in found])


def _under_way(actor: Actor, devices: list[Device]) -> dict[int, Return]:
    rows = Return.objects.visible_to(actor).under_way().filter(device__in={device.pk for device in devices})
    return {row.device_id: row for row in rows} if devices else {}


def _scan(workbench: Workbench, scan: Scan, under_way: dict[int, Return]) -> Answer:
    returned = scan.returned
    if returned is not None and returned.is_over:
        words = {"code": returned.code, "state": returned.get_state_display().lower()}
        return Answer(BAD, "return_over", _("%(code)s is closed: %(state)s.") % words, about=returned)
    if returned is not None:
        return _put(workbench, returned.device, under_way)
    if scan.devices and not scan.is_sure:
        return Answer(WARN, "ambiguous", sentences.unsure(scan), scan.devices)
    if len(scan.devices) > 1:
        said = _("%(text)s matches several devices. Which one is it?") % {"text": sentences.shown(scan.text)}
        return Answer(WARN, "ambiguous", said, scan.devices)
    if scan.devices:
        return _put(workbench, scan.devices[0], under_way)
    if scan.is_offer:
        return Answer(BAD, "no_unit", _("This claim code isn't for a single device. Scan the device's own label."))
    hint = _("If its label was replaced, type the serial number.")
    return Answer(BAD, "unknown", f"{sentences.unknown(scan)} {'' if scan.guess else hint}".strip())


def _put(workbench: Workbench, device: Device, under_way: dict[int, Return]) -> Answer:
    """Put a device on the workbench. One that cannot be received stays there, with the reason, until it is removed."""
    words = {"serial": device.serial_number}
    if device.pk in workbench.ids:
        return Answer(WARN, "on_workbench", _("%(serial)s is already on the workbench.") % words, device=device)
    if len(workbench.ids) >= MOST:
        said = _("The workbench is full, so %(serial)s wasn't added. Receive these 500 devices first.") % words
        return Answer(BAD, "full", said)
    workbench.ids.insert(0, device.pk)
    returned = under_way.get(device.pk)
    verdict = verdicts.of(device, returned)
    if verdict.is_fit:
        return Answer(OK, "added", _("%(serial)s can be received.") % words, device=device)
    tone = WARN if verdict.can_anyway else BAD
    return Answer(tone, "unfit", f"{device.serial_number}: {verdict.sentence}", device=device, about=returned)


def _lines(workbench: Workbench, actor: Actor) -> list[Line]:
    """Return the devices in their order, each with its owner, order, warranty and request: five queries for all."""
    rows = Device.objects.visible_to(actor).filter(pk__in=workbench.ids).select_related("product", "customer")
    devices = {device.pk: device for device in rows}
    workbench.ids = [pk for pk in workbench.ids if pk in devices]
    under_way = {row.device_id: row for row in _of(Return.objects.visible_to(actor), devices).under_way()}
    spans = {span.device_id: span for span in _of(Ownership.objects.visible_to(actor), devices).open()}
    owned = _of(Ownership.objects.visible_to(actor), devices).exclude(end_reason="correction").order_by()
    first = dict(owned.values_list("device").annotate(Min("started_at")))
    by_device = returns.shipments_of(spans.values())
    shipments = Shipment.objects.visible_to(actor).in_bulk(set(by_device.values()))
    packed = _packed(actor, [pk for pk in devices if devices[pk].status == DeviceStatus.RESERVED])
    return [
        Line(
            devices[pk],
            verdicts.of(devices[pk], under_way.get(pk)),
            under_way.get(pk),
            spans.get(pk),
            shipments.get(by_device.get(pk, 0)),
            first.get(pk),
            packed.get(pk),
            pk in workbench.asked,
        )
        for pk in workbench.ids
    ]


def _packed(actor: Actor, ids: list[int]) -> dict[int, Shipment]:
    """Return the shipments in which devices are packed, by device id. Runs two queries, or none without ids."""
    if not ids:
        return {}
    rows = Shipment.objects.visible_to(actor).filter(units__device__in=ids, units__is_open=True)
    by_device = dict(rows.values_list("units__device", "pk"))
    shipments = Shipment.objects.visible_to(actor).in_bulk(set(by_device.values()))
    return {device: shipments[pk] for device, pk in by_device.items()}


def _of(rows: QuerySet[Any], devices: dict[int, Device]) -> Any:
    return rows.filter(device__in=list(devices))
