"""The events of returns, inspections and swaps."""

from django.utils.translation import gettext_lazy as _

from console.audit.kinds import Kind
from console.audit.public import EVERYONE, PublicEvent, Sends
from console.events import SETTINGS
from devices import webhooks
from devices.events import DEVICES, NO_HANDOVER, PUBLIC_ASSIGNED, TAKING

PUBLIC_RETURNED = PublicEvent("device.returned", _("Device returned"), EVERYONE, place=60)

RETURN_REQUESTED = Kind(
    "device.return_requested",
    _("Return requested"),
    "mail",
    _("{actor} asked to send {subject} back for {object}"),
    DEVICES,
)
RETURN_CANCELLED = Kind(
    "device.return_cancelled", _("Return cancelled"), "ban", _("{actor} cancelled the return of {subject}"), DEVICES
)
RETURNED = Kind(
    "device.returned",
    _("Device returned"),
    "undo-2",
    _("{actor} received {subject} back from {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_RETURNED, webhooks.ended),
)
QUARANTINED = Kind(
    "device.quarantined", _("Device put in quarantine"), "lock", _("{actor} put {subject} into quarantine"), DEVICES
)
RETURN_UNDONE = Kind(
    "device.return_undone",
    _("Return undone"),
    "rotate-ccw",
    _("{actor} undid the return of {subject} from {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_ASSIGNED, webhooks.reopened),
)
QUARANTINE_UNDONE = Kind(
    "device.quarantine_undone",
    _("Quarantine undone"),
    "rotate-ccw",
    _("{actor} took {subject} out of quarantine again"),
    DEVICES,
)
INSPECTED = Kind(
    "device.inspected", _("Device inspected"), "clipboard-check", _("{actor} inspected {subject}"), DEVICES
)
INSPECTION_UNDONE = Kind(
    "device.inspection_undone",
    _("Inspection undone"),
    "rotate-ccw",
    _("{actor} undid the inspection of {subject}"),
    DEVICES,
)
RESTOCKED = Kind("device.restocked", _("Device restocked"), "archive", _("{actor} restocked {subject}"), DEVICES)
REFURBISHED = Kind(
    "device.refurbished",
    _("Device refurbished"),
    "wrench",
    _("{actor} refurbished {subject}; it is in stock again"),
    DEVICES,
)
SCRAPPED = Kind("device.scrapped", _("Device scrapped"), "trash-2", _("{actor} scrapped {subject}"), DEVICES)
LABEL_REPLACED = Kind(
    "device.label_replaced", _("Device's label replaced"), "tag", _("{actor} noted the new label of {subject}"), DEVICES
)
SWAPPED_OUT = Kind(
    "device.swapped_out",
    _("Device swapped out"),
    "arrow-left-right",
    _("{actor} replaced {subject} by {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_RETURNED, webhooks.swapped_out),
)
SWAPPED_IN = Kind(
    "device.swapped_in",
    _("Device swapped in"),
    "arrow-left-right",
    _("{actor} gave {subject} in place of {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_ASSIGNED, webhooks.swapped_in),
)
LABEL_PRINTED = Kind(
    "device.label_printed", _("Device's label printed"), "printer", _("{actor} printed a label of {subject}"), DEVICES
)
SLIP_EDITED = Kind(
    "returns.slip_edited", _("Return slip edited"), "pencil", _("{actor} edited the return slip"), SETTINGS
)
REASONS_EDITED = Kind(
    "returns.reasons_edited", _("Return reasons edited"), "pencil", _("{actor} edited the reasons of returns"), SETTINGS
)
CHECKS_EDITED = Kind(
    "returns.checks_edited",
    _("Checklist edited"),
    "clipboard-check",
    _("{actor} edited the checklist of returns"),
    SETTINGS,
)

NO_HANDOVER.append(LABEL_PRINTED)
TAKING += [RETURNED, SWAPPED_OUT]
