"""Contexts and messages of the pages of returns."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from claims import pills
from claims.models import Return, ReturnState
from claims.profiles import links
from claims.returns import choices
from claims.returns.actions import settings
from claims.returns.forms import ChoiceList, InspectForm, ReceiveForm, SlipForm
from claims.returns.workbench import Workbench
from claims.scanning import queue as scan_queue
from console.access import Actor, Permission
from console.bulk import Selection
from console.editing import Edit
from console.models import Operation
from console.requests import Request
from console.undo import with_link
from devices.actions.ownership import over_unclaim_limit
from devices.models import Device, DeviceStatus

SUGGESTED = 20
SHOWN = 50


def rows(actor: Actor) -> QuerySet[Return]:
    """Return the returns that the actor may see, with the relations that a row of a list shows."""
    return Return.objects.visible_to(actor).select_related("device__product", "customer")


def workbench_context(request: Request, workbench: Workbench, form: ReceiveForm | None = None) -> dict[str, Any]:
    """Return the context of the workbench.

    Without a `form`, a fresh one keeps the reason and note entered so far and shows no errors.
    """
    if form is None:
        kept = {name: request.POST.get(name, "") for name in ("reason", "note")}
        form = ReceiveForm(initial=kept, actor=request.actor)
    return {
        "workbench": workbench,
        "form": form,
        "tab": "workbench",
        "workbench_name": "returns",
        "person": scan_queue.person(request.actor),
        "handled": scan_queue.handled(request.POST),
        "limit": over_unclaim_limit(workbench.owned, by=request.actor) if workbench.owned else "",
        **links_of(request, workbench.ids),
    }


def links_of(request: Request, device_ids: list[int]) -> dict[str, Any]:
    """Return the links that stop working when these devices lose their owners, and whether the user keeps them."""
    devices = Device.objects.visible_to(request.actor).filter(pk__in=device_ids)
    said = links.for_page(devices, by=request.actor) if device_ids else {}
    return {**said, "keeps_links": bool(request.POST.get("leaves_profiles"))}


def swapped(request: Request, device: Device) -> dict[str, Any]:
    """Return what the swap page shows besides its form.

    These are the devices in stock, the tags that the replacement inherits, and the links that stop working.
    """
    tags = device.device_tags.select_related("tag").order_by("tag__name_key")
    return {
        "in_stock": in_stock(request.actor, device),
        "tags": [row.tag for row in tags],
        "limit": over_unclaim_limit(1, by=request.actor),
        **links_of(request, [device.pk]),
    }


def terms(request: Request, form: ReceiveForm) -> dict[str, Any]:
    """Return the terms chosen for the workbench: reason, note, and whether devices leave their claim profiles."""
    return {**form.cleaned_data, "leaves_profiles": bool(request.POST.get("leaves_profiles"))}


def received(actor: Actor, operation: Operation) -> str:
    """Return the message after receiving: how many devices came in, with links to inspect and to undo."""
    n = operation.succeeded
    done = ngettext("%(n)d device received into quarantine.", "%(n)d devices received into quarantine.", n) % {"n": n}
    inspect = f"{reverse('claims:return_list')}?state={ReturnState.RECEIVED}"
    found = Return.objects.visible_to(actor).filter(operation=operation)
    pks = list(found.order_by("pk").values_list("pk", flat=True)[:200])
    if n == len(pks):
        inspect = f"{reverse('claims:return_inspect')}?ids={','.join(map(str, pks))}"
    return with_link(operation, format_html('{} <a href="{}">{}</a> ·', done, inspect, _("Inspect now")))


def back_from(chosen: Selection) -> str:
    """Return the URL to go to after an inspection: the list of the selection, or the page of the only return."""
    if chosen.back or len(chosen.ids) != 1:
        return chosen.back or reverse("claims:return_list")
    return reverse("claims:return_detail", args=chosen.ids)


def next_of(actor: Actor, chosen: Selection, operation: Operation) -> int | None:
    """Return the id of the next return to inspect, or None.

    There is one only after a single return was inspected: the next of those received in the same operation.
    """
    if len(chosen.ids) != 1 or chosen.back or not operation.succeeded:
        return None
    mine = Return.objects.visible_to(actor)
    together = mine.filter(pk=chosen.ids[0], operation__isnull=False).values("operation")
    waiting = mine.filter(operation__in=together, state=ReturnState.RECEIVED)
    return waiting.order_by("pk").values_list("pk", flat=True).first()


def inspected(actor: Actor, operation: Operation, decision: str, *, is_named: bool) -> str:
    """Return the message after inspecting: what was done, its undo, and labels for devices that are back in stock."""
    ids, done = operation.payload["ids"], _inspected(decision)
    if len(ids) != 1:
        done = operation.sentence
    elif is_named:
        device = Device.objects.visible_to(actor).filter(returns__in=ids).first()
        done = f"{device}: {done}"
    said = with_link(operation, done)
    found = Return.objects.visible_to(actor).filter(
        pk__in=ids, state__in=[ReturnState.RESTOCKED, ReturnState.REFURBISHED], needs_label=True
    )
    devices = list(found.order_by("pk").values_list("device_id", flat=True))
    if not devices or not actor.may(Permission.CODE_VIEW):
        return said
    url = f"{reverse('claims:label_sheet_create')}?ids={','.join(map(str, devices))}"
    return format_html('{} · <a href="{}">{}</a>', said, url, _("Print labels"))


def _inspected(decision: str) -> str:
    done = {
        "": _("Inspected. It stays in quarantine until you decide."),
        ReturnState.RESTOCKED: _("Back in stock."),
        ReturnState.REFURBISHED: _("Refurbished and back in stock."),
        ReturnState.SCRAPPED: _("Scrapped."),
    }
    return done[decision]


def selected(chosen: Selection) -> dict[str, Any]:
    """Return the first selected returns, how many can be inspected, and how many cannot, by state."""
    states = chosen.by_mark
    fit = {ReturnState.RECEIVED, ReturnState.INSPECTED}
    labels = dict(ReturnState.choices)
    return {
        "total": sum(states.values()),
        "fit": sum(n for state, n in states.items() if state in fit),
        "unfit": [(labels[state], n) for state, n in sorted(states.items()) if state not in fit],
        "must_grade": ReturnState.RECEIVED in states,
        "shown": SHOWN,
        "rows": list(chosen.rows.select_related("device__product", "customer").order_by("pk")[:SHOWN]),
    }


def inspect_form(request: Request, chosen: Selection, picked: dict[str, Any]) -> InspectForm:
    """Return the form of an inspection; for a single return it shows the findings recorded before."""
    initial: dict[str, Any] = {}
    if picked["total"] == 1 and picked["rows"]:
        initial = {"grade": picked["rows"][0].grade, "checks": picked["rows"][0].checks}
    data = request.POST if request.method == "POST" else None
    return InspectForm(data, initial=initial, actor=request.actor, must_grade=picked["must_grade"])


def steps(returned: Return) -> list[dict[str, Any]]:
    """Return what has happened to a return so far, in order: when, by whom, and the resulting state."""
    found = [
        (returned.requested_at, ReturnState.REQUESTED, returned.requested_by),
        (returned.received_at, ReturnState.RECEIVED, returned.received_by),
        (returned.inspected_at, ReturnState.INSPECTED, returned.inspected_by),
        (returned.closed_at, returned.state, returned.closed_by),
    ]
    return [
        {"at": at, "label": ReturnState(state).label, "icon": pills.RETURNS[ReturnState(state)][1], "who": who}
        for at, state, who in found
        if at is not None
    ]


def in_stock(actor: Actor, device: Device) -> list[Device]:
    """Return up to 20 devices in stock of the same product that could replace this one."""
    found = (
        Device.objects.visible_to(actor)
        .current()
        .filter(product=device.product_id, status=DeviceStatus.IN_STOCK, is_development=False)
    )
    return list(found.order_by("serial_key", "pk")[:SUGGESTED])


class SettingsPage:
    """The three forms of the return settings; the button that was pressed determines which one is saved."""

    def __init__(self, request: Request) -> None:
        self.request, self.by = request, request.actor
        self.part = request.POST.get("part", "") if request.method == "POST" else ""
        find, save = choices, settings
        self.slip = self._edit("slip", lambda data, row: SlipForm(data, instance=find.settings_of(row)), save.save_slip)
        self.reasons = self._edit(
            "reasons", lambda data, row: ChoiceList(data, find.reasons(row, archived=True), "reason"), save.save_reasons
        )
        self.checks = self._edit(
            "checks",
            lambda data, row: ChoiceList(data, find.checks(row, archived=True), "check", length=160),
            save.save_checks,
        )
        self.edits = {"slip": self.slip, "reasons": self.reasons, "checks": self.checks}

    @property
    def is_done(self) -> bool:
        """Whether the submitted form was saved."""
        return self.part in self.edits and self.edits[self.part].is_done

    @property
    def status(self) -> int:
        """The HTTP status of the page: 200 before anything is submitted, otherwise the error of the failed save."""
        return self.edits[self.part].status if self.part in self.edits else 422 if self.part else 200

    @property
    def forms(self) -> dict[str, Any]:
        """The forms by their part: `slip`, `reasons`, `checks`."""
        return {name: edit.form for name, edit in self.edits.items()}

    def _edit(self, part: str, make: Any, save: Any) -> Edit:
        return Edit(
            self.request,
            self.by.organization,
            make,
            lambda row, values: save(**values, by=self.by),
            is_posted=self.part == part,
        )


def label_sentence(count: int) -> str:
    """Return the message after `count` devices left the queue of labels."""
    if not count:
        return _("None of these devices still needed a new label.")
    return ngettext("%(n)d device has its new label.", "%(n)d devices have their new labels.", count) % {"n": count}
