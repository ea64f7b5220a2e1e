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
    _("{actor} requested a return of {subject} for {object}"),
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
    "device.quarantined", _("Device quarantined"), "lock", _("{actor} put {subject} into quarantine"), DEVICES
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
    _("{actor} undid the quarantine of {subject}"),
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
    _("{actor} refurbished {subject}; it is back in stock"),
    DEVICES,
)
SCRAPPED = Kind("device.scrapped", _("Device scrapped"), "trash-2", _("{actor} scrapped {subject}"), DEVICES)
LABEL_REPLACED = Kind(
    "device.label_replaced", _("Device label replaced"), "tag", _("{actor} recorded a new label for {subject}"), DEVICES
)
SWAPPED_OUT = Kind(
    "device.swapped_out",
    _("Device swapped out"),
    "arrow-left-right",
    _("{actor} replaced {subject} with {object}"),
    DEVICES,
    webhook=Sends(PUBLIC_RETURNED, webhooks.swapped_out),
)
SWAPPED_IN = Kind(
    "device.swapped_in",
    _("Device swapped in"),
    "arrow-left-right",
    _("{actor} replaced {object} with {subject}"),
    DEVICES,
    webhook=Sends(PUBLIC_ASSIGNED, webhooks.swapped_in),
)
LABEL_PRINTED = Kind(
    "device.label_printed", _("Device label printed"), "printer", _("{actor} printed a label for {subject}"), DEVICES
)
SLIP_EDITED = Kind(
    "returns.slip_edited", _("Return slip edited"), "pencil", _("{actor} edited the return slip"), SETTINGS
)
REASONS_EDITED = Kind(
    "returns.reasons_edited", _("Return reasons edited"), "pencil", _("{actor} edited the return reasons"), SETTINGS
)
CHECKS_EDITED = Kind(
    "returns.checks_edited",
    _("Checklist edited"),
    "clipboard-check",
    _("{actor} edited the inspection checklist"),
    SETTINGS,
)

NO_HANDOVER.append(LABEL_PRINTED)
TAKING += [RETURNED, SWAPPED_OUT]
