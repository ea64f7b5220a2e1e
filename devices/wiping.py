"""Whose data a device was asked to erase but has not yet confirmed. It is asked until it does, whoever owns it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from devices.models import Device, EndReason, Ownership

# The most former owners that are named. More are only counted.
NAMED = 3


def is_for(span: Ownership, since: datetime | None, asked_at: datetime | None) -> bool:
    """Whether the end of this span is one of the requests from `since` to `asked_at`."""
    if span.ended_at is None or span.end_reason == EndReason.CORRECTION or since is None or asked_at is None:
        return False
    return since <= span.ended_at <= asked_at


def owners_among(spans: Iterable[Ownership], device: Device) -> list[Any]:
    """Return the former owners whose data is not erased yet, in order, without duplicates; `spans` are the device's."""
    ended = [span for span in spans if is_for(span, device.wipe_since, device.wipe_asked_at)]
    ended.sort(key=lambda span: span.started_at)
    return list(dict.fromkeys(span.customer for span in ended))


def owners_of(device: Device) -> list[Any]:
    """Return the same owners, read from the ledger. One query, or none if no wipe is pending."""
    if device.wipe_since is None:
        return []
    # unscoped: of the given device, for the log and for staff
    spans = Ownership.objects.filter(device=device, ended_at__gte=device.wipe_since)
    return owners_among(spans.select_related("customer"), device)


def named(owners: Sequence[Any]) -> str:
    """Return the owners in words: A, B and C; of many, the first and how many more."""
    names = [str(owner) for owner in owners]
    if len(names) > NAMED:
        sentence = ngettext("%(first)s and %(n)d more owner", "%(first)s and %(n)d more owners", len(names) - 1)
        return sentence % {"first": names[0], "n": len(names) - 1}
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


def is_of_others(device: Device, customers: Iterable[int]) -> bool:
    """Whether data of anybody but these customers may still be on the device."""
    if device.wipe_since is None:
        return False
    # unscoped: only whether there is any, not whose
    ended = Ownership.objects.filter(device=device, ended_at__gte=device.wipe_since)
    return ended.exclude(end_reason=EndReason.CORRECTION).exclude(customer__in=list(customers)).exists()
