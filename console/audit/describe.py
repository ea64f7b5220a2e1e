"""Says each line of the audit log as a sentence. The domain is known by the names of its kinds only."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from console import counts
from console.access import Actor, Permission
from console.models import Event

# What belongs to the sentence itself and tells no change, though it may be a list of two.
SPOKEN = {"note", "reason", "given", "members", "not_in_order"}
LONGEST = 80


@dataclass(frozen=True)
class Kind:
    """How a kind of event reads. The sentence names {actor}, {subject} and, where it has one, {object}."""

    label: Any
    icon: str
    sentence: Any


@dataclass(frozen=True)
class Said:
    """An event as a reader sees it. `changes` are (field, old, new), `details` what else it tells."""

    event: Event
    icon: str
    text: SafeString
    note: str = ""
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    details: list[tuple[str, str]] = field(default_factory=list)


# Kinds in groups, as the filter offers them.
GROUPS: list[tuple[Any, dict[str, Kind]]] = [
    (
        _("Devices"),
        {
            "device.registered": Kind(_("Device registered"), "circle-plus", _("{actor} registered {subject}")),
            "device.imported": Kind(_("Device imported"), "upload", _("{actor} imported {subject}")),
            "device.edited": Kind(_("Device edited"), "pencil", _("{actor} edited {subject}")),
            "device.assigned": Kind(_("Device assigned"), "user-plus", _("{actor} assigned {subject} to {object}")),
            "device.claimed": Kind(_("Device claimed"), "hand", _("{actor} claimed {subject} for {object}")),
            "device.released": Kind(
                _("Device released"), "user-x", _("{actor} released {subject}, which {object} owned")
            ),
            "device.unclaimed": Kind(_("Device unclaimed"), "undo-2", _("{actor} unclaimed {subject} from {object}")),
            "device.assignment_undone": Kind(
                _("Assignment undone"), "rotate-ccw", _("{actor} undid the assignment of {subject} to {object}")
            ),
            "device.unclaim_undone": Kind(
                _("Unclaim undone"), "rotate-ccw", _("{actor} undid the unclaim of {subject} from {object}")
            ),
            "device.return_requested": Kind(
                _("Return requested"), "mail", _("{actor} asked to send {subject} back for {object}")
            ),
            "device.return_cancelled": Kind(
                _("Return cancelled"), "ban", _("{actor} cancelled the return of {subject}")
            ),
            "device.returned": Kind(_("Device returned"), "undo-2", _("{actor} received {subject} back from {object}")),
            "device.quarantined": Kind(
                _("Device put in quarantine"), "lock", _("{actor} put {subject} into quarantine")
            ),
            "device.return_undone": Kind(
                _("Return undone"), "rotate-ccw", _("{actor} undid the return of {subject} from {object}")
            ),
            "device.quarantine_undone": Kind(
                _("Quarantine undone"), "rotate-ccw", _("{actor} took {subject} out of quarantine again")
            ),
            "device.inspected": Kind(_("Device inspected"), "clipboard-check", _("{actor} inspected {subject}")),
            "device.inspection_undone": Kind(
                _("Inspection undone"), "rotate-ccw", _("{actor} undid the inspection of {subject}")
            ),
            "device.restocked": Kind(_("Device restocked"), "archive", _("{actor} restocked {subject}")),
            "device.refurbished": Kind(
                _("Device refurbished"), "wrench", _("{actor} refurbished {subject}; it is in stock again")
            ),
            "device.scrapped": Kind(_("Device scrapped"), "trash-2", _("{actor} scrapped {subject}")),
            "device.label_replaced": Kind(
                _("Device's label replaced"), "tag", _("{actor} noted the new label of {subject}")
            ),
            "device.swapped_out": Kind(
                _("Device swapped out"), "arrow-left-right", _("{actor} replaced {subject} by {object}")
            ),
            "device.swapped_in": Kind(
                _("Device swapped in"), "arrow-left-right", _("{actor} gave {subject} in place of {object}")
            ),
            "device.access_given": Kind(_("Access given"), "eye", _("{actor} gave {object} access to {subject}")),
            "device.access_ended": Kind(
                _("Access ended"), "user-x", _("{actor} ended the access of {object} to {subject}")
            ),
            "device.code_replaced": Kind(
                _("Device's claim code replaced"),
                "key-round",
                _("The claim code of {subject} was replaced; the old label is dead"),
            ),
            "device.changes_applied": Kind(
                _("Changes from a file applied"), "file-spreadsheet", _("{actor} changed devices with {subject}")
            ),
            "device.label_printed": Kind(
                _("Device's label printed"), "printer", _("{actor} printed a label of {subject}")
            ),
            "device.archived": Kind(_("Device archived"), "archive", _("{actor} archived {subject}")),
            "device.restored": Kind(_("Device restored"), "archive-restore", _("{actor} restored {subject}")),
            "device.secret_renewed": Kind(
                _("Device's secret renewed"), "key-round", _("{actor} gave {subject} a new secret")
            ),
            "device.called": Kind(_("Device called"), "radio", _("{actor} called {subject}")),
            "device.wiped": Kind(_("Device wiped itself"), "shield-check", _("{subject} has wiped itself")),
        },
    ),
    (
        _("Products"),
        {
            "product.made": Kind(_("Product made"), "box", _("{actor} made the product {subject}")),
            "product.edited": Kind(_("Product edited"), "pencil", _("{actor} edited the product {subject}")),
            "product.archived": Kind(_("Product archived"), "archive", _("{actor} archived the product {subject}")),
            "product.restored": Kind(
                _("Product restored"), "archive-restore", _("{actor} restored the product {subject}")
            ),
            "manifest.applied": Kind(
                _("Manifest applied"), "file-spreadsheet", _("{actor} applied the manifest {subject}")
            ),
        },
    ),
    (
        _("Customers"),
        {
            "customer.made": Kind(_("Customer made"), "building-2", _("{actor} made the customer {subject}")),
            "customer.edited": Kind(_("Customer edited"), "pencil", _("{actor} edited the customer {subject}")),
            "customer.imported": Kind(_("Customer imported"), "upload", _("{actor} imported the customer {subject}")),
            "customer.file_applied": Kind(
                _("Customer file applied"), "file-spreadsheet", _("{actor} imported customers from {subject}")
            ),
            "customer.archived": Kind(_("Customer archived"), "archive", _("{actor} archived the customer {subject}")),
            "customer.restored": Kind(
                _("Customer restored"), "archive-restore", _("{actor} restored the customer {subject}")
            ),
            "customer.person_invited": Kind(
                _("Customer's person invited"), "user-plus", _("{actor} invited {subject} to {object}")
            ),
            "customer.person_invited_again": Kind(
                _("Customer's person invited again"),
                "mail",
                _("{actor} sent {subject} the invitation to {object} again"),
            ),
            "customer.person_edited": Kind(
                _("Customer's person edited"), "user-check", _("{actor} changed the role of {subject} at {object}")
            ),
            "customer.person_removed": Kind(
                _("Customer's person removed"), "user-x", _("{actor} removed {subject} from {object}")
            ),
            "project.made": Kind(_("Project made"), "folder", _("{actor} made the project {subject} for {object}")),
            "project.edited": Kind(
                _("Project renamed"), "pencil", _("{actor} renamed the project {subject} of {object}")
            ),
            "project.member_joined": Kind(
                _("Access to a project given"), "user-plus", _("{subject} got access to a project of {object}")
            ),
            "project.member_ended": Kind(
                _("Access to a project ended"),
                "user-x",
                _("{actor} ended the access of {subject} to a project of {object}"),
            ),
        },
    ),
    (
        _("Claims"),
        {
            "claim.made": Kind(_("Profile redeemed"), "gift", _("{actor} redeemed {subject} for {object}")),
            "claim_profile.made": Kind(_("Profile made"), "qr-code", _("{actor} made the claim profile {subject}")),
            "claim_profile.edited": Kind(
                _("Profile edited"), "pencil", _("{actor} edited the claim profile {subject}")
            ),
            "claim_profile.enabled": Kind(
                _("Profile enabled"), "play", _("{actor} enabled the claim profile {subject}")
            ),
            "claim_profile.disabled": Kind(
                _("Profile disabled"), "pause", _("{actor} disabled the claim profile {subject}")
            ),
            "claim_profile.units_added": Kind(
                _("Profile's units added"), "circle-plus", _("{actor} gave units a code of the claim profile {subject}")
            ),
            "claim_profile.codes_exported": Kind(
                _("Profile's codes exported"), "download", _("{actor} exported the codes of {subject}")
            ),
            "claim_profile.code_replaced": Kind(
                _("Profile's code replaced"), "key-round", _("The code of {subject} was replaced; the old link is dead")
            ),
            "label_sheet.made": Kind(_("Labels printed"), "printer", _("{actor} printed the labels {subject}")),
            "label_sheet.downloaded": Kind(
                _("Labels downloaded"), "download", _("{actor} downloaded the labels {subject}")
            ),
        },
    ),
    (
        _("Shipments"),
        {
            "shipment.made": Kind(
                _("Shipment opened"), "package", _("{actor} opened the shipment {subject} for {object}")
            ),
            "shipment.edited": Kind(_("Shipment edited"), "pencil", _("{actor} edited the shipment {subject}")),
            "shipment.shipped": Kind(
                _("Shipment shipped"), "package-check", _("{actor} shipped {subject} to {object}")
            ),
            "shipment.sent": Kind(
                _("Shipment sent"), "package-check", _("{actor} sent {subject} to {object}, who claims it")
            ),
            "shipment.claimed": Kind(
                _("Shipment claimed"), "gift", _("{actor} claimed the shipment {subject} for {object}")
            ),
            "shipment.cancelled": Kind(_("Shipment cancelled"), "ban", _("{actor} cancelled the shipment {subject}")),
            "shipment.reopened": Kind(
                _("Shipment opened again"), "rotate-ccw", _("{actor} opened the shipment {subject} again")
            ),
            "device.packed": Kind(_("Device packed"), "package", _("{actor} packed {subject} into {object}")),
            "device.unpacked": Kind(_("Device taken out"), "box", _("{actor} took {subject} out of {object}")),
        },
    ),
    (
        _("Members and settings"),
        {
            "organization.made": Kind(_("Organization made"), "building", _("{actor} made the organization {subject}")),
            "organization.edited": Kind(
                _("Organization edited"), "settings", _("{actor} edited the organization {subject}")
            ),
            "organization.logo_changed": Kind(_("Logo changed"), "sparkles", _("{actor} changed the logo")),
            "organization.logo_removed": Kind(_("Logo removed"), "trash-2", _("{actor} removed the logo")),
            "returns.slip_edited": Kind(_("Return slip edited"), "pencil", _("{actor} edited the return slip")),
            "returns.reasons_edited": Kind(
                _("Return reasons edited"), "pencil", _("{actor} edited the reasons of returns")
            ),
            "returns.checks_edited": Kind(
                _("Checklist edited"), "clipboard-check", _("{actor} edited the checklist of returns")
            ),
            "domain.added": Kind(_("Domain added"), "globe", _("{actor} added the domain {subject}")),
            "domain.removed": Kind(_("Domain removed"), "globe", _("{actor} removed the domain {subject}")),
            "member.invited": Kind(_("Member invited"), "mail", _("{actor} invited {subject}")),
            "member.invited_again": Kind(
                _("Invitation sent again"), "mail", _("{actor} sent {subject} a new invitation")
            ),
            "member.invitation_revoked": Kind(
                _("Invitation revoked"), "ban", _("{actor} revoked the invitation of {subject}")
            ),
            "member.joined": Kind(_("Member joined"), "user-check", _("{subject} joined")),
            "member.edited": Kind(_("Member's role changed"), "user-check", _("{actor} changed the role of {subject}")),
            "api_key.made": Kind(_("API key made"), "key-round", _("{actor} made the API key {subject}")),
            "api_key.revoked": Kind(_("API key revoked"), "ban", _("{actor} revoked the API key {subject}")),
            "webhook.made": Kind(_("Webhook made"), "webhook", _("{actor} made the webhook {subject}")),
            "webhook.edited": Kind(_("Webhook edited"), "pencil", _("{actor} edited the webhook {subject}")),
            "webhook.rotated": Kind(
                _("Webhook's secret replaced"), "key-round", _("{actor} gave the webhook {subject} a new secret")
            ),
            "webhook.enabled": Kind(_("Webhook enabled"), "play", _("{actor} enabled the webhook {subject}")),
            "webhook.disabled": Kind(_("Webhook disabled"), "pause", _("{actor} disabled the webhook {subject}")),
            "webhook.kept_sent": Kind(
                _("Kept webhook calls sent"),
                "send",
                _("{actor} sent {subject} the calls that were kept while it was disabled"),
            ),
            "webhook.kept_discarded": Kind(
                _("Kept webhook calls discarded"),
                "trash-2",
                _("{actor} discarded the calls that were kept for {subject} while it was disabled"),
            ),
            "webhook.removed": Kind(_("Webhook removed"), "trash-2", _("{actor} removed the webhook {subject}")),
            "webhook.tested": Kind(_("Webhook tested"), "send", _("{actor} tested the webhook {subject}")),
            "webhook.sent_again": Kind(
                _("Webhook call sent again"), "refresh-cw", _("{actor} sent a call to {subject} again")
            ),
            "member.removed": Kind(_("Member removed"), "user-x", _("{actor} removed {subject}")),
        },
    ),
]
KINDS = {name: kind for _group, kinds in GROUPS for name, kind in kinds.items()}

# Kinds of this app's own few things: members, invitations, domains, the organization.
OWN_KINDS = list(GROUPS[-1][1])

# How things are found by their names, in their models' folded keys. Each line is one range of an index.
NAMES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("device", "devices.Device", "serial_key", {"archived_at__isnull": True}),
    ("device", "devices.Device", "serial_key", {"archived_at__isnull": False}),
    ("product", "devices.Product", "name_key", {}),
    ("customer", "customers.Customer", "name_key", {}),
    ("claimprofile", "claims.ClaimProfile", "name_key", {}),
]

# Where the page of a subject is, by its kind, and who may open it.
PAGES: dict[str, tuple[str, Permission]] = {
    "device": ("devices:device_detail", Permission.VIEW),
    "product": ("devices:product_detail", Permission.VIEW),
    "manifest": ("devices:manifest_detail", Permission.DEVICE_IMPORT),
    "roundtrip": ("devices:device_changes_detail", Permission.DEVICE_ASSIGN),
    "customer": ("customers:customer_detail", Permission.VIEW),
    "customerimport": ("customers:customer_import_detail", Permission.CUSTOMER_IMPORT),
    "claimprofile": ("claims:claim_profile_detail", Permission.VIEW),
    "shipment": ("claims:shipment_detail", Permission.VIEW),
    "labelsheet": ("claims:label_sheet_detail", Permission.CODE_VIEW),
    "operation": ("console:operation_detail", Permission.VIEW),
    "member": ("console:member_edit", Permission.MEMBER_MANAGE),
    "webhook": ("console:webhook_detail", Permission.WEBHOOK_MANAGE),
}


def say(event: Event, reader: Actor, page: tuple[str, int] | None = None) -> Said:
    """The event as a sentence with links that the reader may follow; `page` is what the page is about: no link."""
    kind = KINDS.get(event.kind)
    words: dict[str, Any] = {
        "actor": format_html('<strong class="strong">{}</strong>', event.actor_label),
        "subject": _subject(event, reader, page),
        "object": _named(event.object_kind, event.object_id, event.object_label, reader, page),
    }
    sentence = str(kind.sentence) if kind else ""
    if not kind or ("{object}" in sentence and not event.object_label):
        sentence = _plain(event)
        words["what"] = capfirst(event.kind.rpartition(".")[2].replace("_", " "))
    changes, details = _told(event)
    note = str(event.data.get("note") or event.data.get("reason") or "")
    # What changed differs from one thing to the next; of many the reader unfolds the lines.
    if getattr(event, "others", 0):
        changes, details = [], []
    return Said(event, kind.icon if kind else "circle-dot", format_html(sentence, **words), note, changes, details)


def _subject(event: Event, reader: Actor, page: tuple[str, int] | None) -> SafeString:
    """What a line is about; of an act that it stands for, how many things more, with a link to all of its lines."""
    named = _named(event.subject_kind, event.subject_id, event.subject_label, reader, page)
    others = getattr(event, "others", 0)
    if not others:
        return named
    more = ngettext("%(n)s more", "%(n)s more", others) % {
        "n": number_format(min(others, counts.CAP), force_grouping=True)
    }
    more += "+" if others > counts.CAP else ""
    link = f"{reverse('console:activity_list')}?act={event.pk}"
    both = _now("{subject} and {more}")
    return format_html(both, subject=named, more=format_html('<a class="strong" href="{}">{}</a>', link, more))


def label(kind: str) -> str:
    """The kind in words, for lists and exports."""
    known = KINDS.get(kind)
    return str(known.label) if known else capfirst(kind.rpartition(".")[2].replace("_", " "))


def choices() -> list[tuple[Any, list[tuple[str, Any]]]]:
    """The kinds in groups, as choices of a form."""
    return [(group, [(name, kind.label) for name, kind in kinds.items()]) for group, kinds in GROUPS]


def subject_kinds() -> list[tuple[str, Any]]:
    """What events are about, as choices of a form."""
    return [
        ("device", _("Devices")),
        ("product", _("Products")),
        ("customer", _("Customers")),
        ("claimprofile", _("Claim profiles")),
        ("member", _("Members")),
        ("organization", _("Organization")),
    ]


def _plain(event: Event) -> str:
    return _now("{actor}: {what}, {subject}, {object}") if event.object_label else _now("{actor}: {what}, {subject}")


def _named(kind: str, pk: int | None, text: str, reader: Actor, page: tuple[str, int] | None) -> SafeString:
    url = "" if (kind, pk) == page else page_of(kind, pk, reader)
    style = "mono strong" if kind == "device" else "strong"
    if url:
        return format_html('<a class="{}" href="{}">{}</a>', style, url, text)
    return format_html('<strong class="{}">{}</strong>', style, text)


def page_of(kind: str, pk: int | None, reader: Actor) -> str:
    """The address of the thing's page, or nothing where it has none or the reader may not open it."""
    name, permission = PAGES.get(kind, ("", Permission.VIEW))
    if not name or pk is None or not reader.may(permission):
        return ""
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return ""


def _told(event: Event) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    changes, details = [], []
    for name, value in event.data.items():
        title = field_label(event.subject_kind, name)
        if name in {"note", "reason"}:
            continue
        if isinstance(value, list) and len(value) == 2 and name not in SPOKEN:
            old, new = (_worded(event.subject_kind, name, each) for each in value)
            changes.append((title, old, new))
        elif value not in (None, "", [], {}):
            details.append((title, _worded(event.subject_kind, name, value)))
    return changes, details


def field_label(kind: str, name: str) -> str:
    """What people call a field of this kind of thing."""
    found = _field(kind, name)
    known = getattr(found, "verbose_name", "") or _now("Given" if name == "given" else name.replace("_", " "))
    return str(capfirst(known))


def _worded(kind: str, name: str, value: Any) -> str:
    if value in (None, "", []):
        return "—"
    if isinstance(value, bool):
        return _now("yes") if value else _now("no")
    if isinstance(value, list):
        text = ", ".join(_worded(kind, name, each) for each in value)
    else:
        text = str(dict(getattr(_field(kind, name), "flatchoices", None) or ()).get(value, value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _field(kind: str, name: str) -> Any:
    try:
        return _models()[kind]._meta.get_field(name)
    except (KeyError, FieldDoesNotExist):
        return None


@cache
def _models() -> dict[str, type[models.Model]]:
    return {model._meta.model_name or "": model for model in apps.get_models()}


def row(event: Event) -> list[Any]:
    """The event as a line of an export."""
    changes, details = _told(event)
    told = [f"{name}: {old} → {new}" for name, old, new in changes] + [f"{name}: {text}" for name, text in details]
    note = event.data.get("note") or event.data.get("reason") or ""
    at: datetime = event.at
    return [
        at,
        event.actor_label,
        event.kind,
        label(event.kind),
        event.subject_kind,
        event.subject_id,
        event.subject_label,
        event.object_label,
        str(note),
        "; ".join(told),
    ]
