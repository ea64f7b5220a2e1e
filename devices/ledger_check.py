"""Compares copied values with the ledger, over all organizations."""

from django.db.models import Exists, F, OuterRef, Q

from devices.models import Device, Ownership, SharedAccess

SHOWN = 20


def check() -> list[str]:
    """Return a sentence for each contradiction, the first twenty of each kind.

    Reports devices whose copied owner or status contradicts the ledger, spans that overlap or name a wrong project,
    wrong wipe requests, and shares that outlived a handover.
    """
    open_spans = Ownership.objects.filter(device=OuterRef("pk"), ended_at=None)
    same_owner = open_spans.filter(customer=OuterRef("customer"))
    owned = Device.objects.filter(customer__isnull=False)
    problems = [
        f"Device {d.pk} ({d}) says it is owned, but the ledger has no open span of that customer."
        for d in owned.filter(~Exists(same_owner))[:SHOWN]
    ]
    problems += [
        f"Device {d.pk} ({d}) says it is free, but the ledger has an open span."
        for d in Device.objects.filter(Exists(open_spans), customer=None)[:SHOWN]
    ]
    problems += [
        f"Device {d.pk} ({d}) has the status {d.status}, which contradicts its owner."
        for d in Device.objects.filter(
            Q(status="owned", customer=None) | ~Q(status="owned") & Q(customer__isnull=False)
        )[:SHOWN]
    ]
    return problems + _overlaps() + _projects() + _wipes() + _outlived()


def _overlaps() -> list[str]:
    later = Ownership.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=OuterRef("started_at")),
        device=OuterRef("device"),
        started_at__lt=OuterRef("started_at"),
    )
    rows = Ownership.objects.filter(Exists(later.exclude(pk=OuterRef("pk"))))[:SHOWN]
    return [f"Ownership {span.pk} of device {span.device_id} begins before the previous one ended." for span in rows]


def _wipes() -> list[str]:
    """A pending wipe must be based on ended ownerships and name the last one, and no later end may lack a request."""
    ended = Ownership.objects.filter(device=OuterRef("pk"), ended_at__isnull=False).exclude(end_reason="correction")
    pending = Device.objects.filter(wipe_since__isnull=False)
    first, last = (ended.filter(ended_at=OuterRef("wipe_since")), ended.filter(ended_at=OuterRef("wipe_asked_at")))
    groundless = pending.filter(~Exists(first) | ~Exists(last))[:SHOWN]
    lost = Device.objects.filter(Exists(ended.filter(ended_at__gt=OuterRef("wipe_asked_at"))))[:SHOWN]
    return [
        *(f"Device {d.pk} ({d}) is asked to wipe itself since a time at which no ownership ended." for d in groundless),
        *(f"Device {d.pk} ({d}) is not asked to wipe itself for the last ownership that ended." for d in lost),
    ]


def _outlived() -> list[str]:
    """A share from the same claim by which the device is owned belongs to the owner, and is no contradiction."""
    later = Ownership.objects.open().filter(device=OuterRef("device"), started_at__gt=OuterRef("started_at"))
    own = Q(start_evidence=OuterRef("start_evidence")) & ~Q(start_evidence="")
    rows = SharedAccess.objects.open().filter(Exists(later.exclude(own)))
    return [
        f"Share {share.pk} of device {share.device_id} is older than the ownership, whose owner did not grant it."
        for share in rows.order_by("pk")[:SHOWN]
    ]


def _projects() -> list[str]:
    return [
        f"{model.__name__} {span.pk} lies in a project of another customer."
        for model in (Ownership, SharedAccess)
        for span in model.objects.exclude(project__customer=F("customer"))[:SHOWN]
    ]
