"""The return workbench: what a scan says, and the lines of the batch on the bench. The batch is ids in the form."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from claims import packing, scans
from claims import return_verdicts as verdicts
from claims.actions import returns
from claims.models import Return, Shipment
from claims.scans import Scan
from console.access import Actor
from console.requests import Request
from devices.models import Device, Ownership

# A batch is no longer than one can look over, and a pasted list no longer than a batch.
MOST = 500
DAYS_A_MONTH = 30.44


@dataclass(frozen=True)
class Answer:
    """What one scan came to: `tone` is ok, warn or bad. `twins` are units among which to choose, `url` where to look."""

    tone: str
    icon: str
    text: str
    url: str = ""
    twins: list[Device] = field(default_factory=list)


@dataclass
class Line:
    """One unit on the bench, with what support wants to know of it."""

    device: Device
    verdict: verdicts.Verdict
    under_way: Return | None = None
    span: Ownership | None = None
    shipment: Shipment | None = None
    first_owned: datetime | None = None
    is_asked: bool = False

    @property
    def is_received(self) -> bool:
        """Whether it will be received as things stand."""
        return self.verdict.is_fit or (self.verdict.can_anyway and self.is_asked)

    @property
    def made_ago(self) -> str:
        """How long ago it was made."""
        return age(self.device.manufactured_on)

    @property
    def owned_ago(self) -> str:
        """How long ago it first had an owner."""
        return age(timezone.localtime(self.first_owned).date() if self.first_owned else None)


@dataclass
class Bench:
    """The batch: the units in the order in which they came, the last one first, and what the last scans came to."""

    ids: list[int] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def tone(self) -> str:
        """The worst of the answers, for the sound."""
        tones = {answer.tone for answer in self.answers}
        return next((tone for tone in ("bad", "warn", "ok") if tone in tones), "")

    @property
    def joined(self) -> str:
        """The ids as the form keeps them."""
        return ",".join(map(str, self.ids))

    @property
    def fit(self) -> int:
        """How many would be received."""
        return sum(line.is_received for line in self.lines)

    @property
    def asks_reason(self) -> bool:
        """Whether a unit is to be received of which no reason is known."""
        return any(line.is_received and not (line.under_way and line.under_way.reason) for line in self.lines)


def open_bench(request: Request, *, scans_too: bool = True) -> Bench:
    """The batch that the form or the address holds, changed by what was scanned, chosen or taken off.

    Without `scans_too` it is as it was last looked at.
    """
    data = request.POST if request.method == "POST" else request.GET
    bench = Bench(_numbers(data.get("ids", ""))[:MOST], set(_numbers(",".join(data.getlist("anyway")))))
    actor: Actor = request.actor
    if request.method == "POST" and scans_too:
        _change(request, bench, actor)
    bench.lines = _lines(bench, actor)
    return bench


def _change(request: Request, bench: Bench, actor: Actor) -> None:
    """Do what was pressed. What stands in the field is taken for a scan by nothing but its own button."""
    data = request.POST
    if removed := _numbers(data.get("remove", "")):
        bench.ids = [pk for pk in bench.ids if pk not in removed]
    elif chosen := _numbers(data.get("choose", "")):
        rows = Device.objects.visible_to(actor).filter(pk__in=chosen[:1])
        bench.answers += [_put(bench, device) for device in rows]
    elif request.htmx.trigger_name != "anyway":
        _scan_all(bench, actor, "\n".join([data.get("list", ""), data.get("scan", "")]))


def age(day: date | None) -> str:
    """How long ago a day was: in days, then months, then years and months."""
    if day is None:
        return ""
    days = max(0, (timezone.localdate() - day).days)
    months = int(days / DAYS_A_MONTH)
    if months < 2:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if months < 24:
        return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
    return _("%(years)d y %(months)d m") % {"years": months // 12, "months": months % 12}


def _scan_all(bench: Bench, actor: Actor, text: str) -> None:
    found = [scan for line in scans.split(actor, scans.lines(text)) for scan in line]
    for each in found[:MOST]:
        bench.answers.append(_scan(bench, each))
    said = dict.fromkeys(
        scan.guess.sentence for scan in found if scan.guess and scan.is_known and scan.is_sure
    )
    bench.answers += [Answer("warn", "scan-line", sentence) for sentence in said]
    if len(found) > MOST:
        left = ngettext("%(n)d line was left out: a batch holds 500 units.",
                        "%(n)d lines were left out: a batch holds 500 units.", len(found) - MOST)  # fmt: skip
        bench.answers.append(Answer("bad", "circle-alert", left % {"n": len(found) - MOST}))


def _scan(bench: Bench, scan: Scan) -> Answer:
    if scan.returned is not None:
        if scan.returned.is_over:
            words = {"code": scan.returned.code, "state": scan.returned.get_state_display().lower()}
            return Answer(
                "bad",
                "circle-alert",
                _("%(code)s is over: %(state)s.") % words,
                scan.returned.get_absolute_url(),
            )
        return _put(bench, scan.returned.device)
    if scan.devices and not scan.is_sure:
        return Answer("warn", "circle-alert", packing.unsure(scan), twins=scan.devices)
    if len(scan.devices) > 1:
        said = _("%(text)s matches several devices. Which one is it?") % {"text": scan.text[:80]}
        return Answer("warn", "circle-alert", said, twins=scan.devices)
    if scan.devices:
        return _put(bench, scan.devices[0])
    if scan.is_offer:
        return Answer(
            "bad", "circle-x", _("This claim code isn't for a single unit. Scan the unit's own label.")
        )
    hint = _("If its label was replaced, type the serial number.")
    return Answer("bad", "circle-x", f"{packing.unknown(scan)} {'' if scan.guess else hint}".strip())


def _put(bench: Bench, device: Device) -> Answer:
    """Put a unit on the bench. What can't be received lies there too, with the reason, until it is taken off."""
    words = {"serial": device.serial_number}
    if device.pk in bench.ids:
        return Answer("warn", "copy", _("%(serial)s is on the bench already.") % words)
    if len(bench.ids) >= MOST:
        return Answer("bad", "circle-alert", _("The bench is full. Receive these 500 units first."))
    bench.ids.insert(0, device.pk)
    under_way = (
        Return.objects.under_way().filter(device=device).first()
    )  # unscoped: of a device that was visible
    verdict = verdicts.of(device, under_way)
    if verdict.is_fit:
        return Answer("ok", "circle-check", _("%(serial)s can be received.") % words)
    tone = "warn" if verdict.can_anyway else "bad"
    return Answer(tone, "circle-alert", f"{device.serial_number}: {verdict.sentence}",
                  under_way.get_absolute_url() if under_way else "")  # fmt: skip


def _lines(bench: Bench, actor: Actor) -> list[Line]:
    """The units in the order of the batch, each with its owner, order, warranty and request: five queries for all."""
    rows = Device.objects.visible_to(actor).filter(pk__in=bench.ids).select_related("product", "customer")
    devices = {device.pk: device for device in rows}
    bench.ids = [pk for pk in bench.ids if pk in devices]
    under_way = {row.device_id: row for row in _of(Return.objects.visible_to(actor), devices).under_way()}
    spans = {span.device_id: span for span in _of(Ownership.objects.visible_to(actor), devices).open()}
    owned = _of(Ownership.objects.visible_to(actor), devices).exclude(end_reason="correction").order_by()
    first = dict(owned.values_list("device").annotate(Min("started_at")))
    by_device = returns.shipments_of(spans.values())
    shipments = Shipment.objects.visible_to(actor).in_bulk(set(by_device.values()))
    return [
        Line(devices[pk], verdicts.of(devices[pk], under_way.get(pk)), under_way.get(pk), spans.get(pk),
             shipments.get(by_device.get(pk, 0)), first.get(pk), pk in bench.asked)
        for pk in bench.ids
    ]  # fmt: skip


def _of(rows: QuerySet, devices: dict[int, Device]) -> Any:
    return rows.filter(device__in=list(devices))


def _numbers(text: str) -> list[int]:
    parts = (part.strip() for part in text.split(","))
    return list(
        dict.fromkeys(int(part) for part in parts if part.isdecimal() and part.isascii() and len(part) < 19)
    )
