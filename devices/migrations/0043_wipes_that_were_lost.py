"""An assignment used to take back the request to wipe. Where the ledger proves one that no device confirmed, it is asked
again: since the first owner's end that no confirmation followed."""

from django.db import migrations
from django.db.models import Exists, F, OuterRef, Subquery


def ask_again(apps, schema_editor):
    device, ownership = apps.get_model("devices", "Device"), apps.get_model("devices", "Ownership")
    confirmed = apps.get_model("console", "Event").objects.filter(
        organization=OuterRef("organization"), kind="device.wiped", subject_kind="device",
        subject_id=OuterRef("device_id"), at__gte=OuterRef("ended_at"),
    )  # fmt: skip
    ended = ownership.objects.filter(device=OuterRef("pk"), ended_at__isnull=False)
    ended = ended.exclude(end_reason="correction").filter(~Exists(confirmed))
    first, last = (ended.order_by(order).values("ended_at")[:1] for order in ("ended_at", "-ended_at"))
    pending = device.objects.filter(Exists(ended), wipe_confirmed_at=None)
    pending.update(wipe_asked_at=Subquery(last), wipe_since=Subquery(first))
    # What was asked for and stands in no ledger keeps its date.
    device.objects.filter(wipe_asked_at__isnull=False, wipe_confirmed_at=None, wipe_since=None).update(
        wipe_since=F("wipe_asked_at")
    )


class Migration(migrations.Migration):
    dependencies = [("devices", "0042_wipe_since"), ("console", "0001_initial")]

    operations = [migrations.RunPython(ask_again, migrations.RunPython.noop)]
