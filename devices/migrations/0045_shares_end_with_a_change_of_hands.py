from django.db import migrations
from django.db.models import Exists, OuterRef, Q, Subquery


def end_what_outlived_a_change_of_hands(apps, schema_editor):
    """Assigning a device ended no share until now: those that are older than its ownership end with its start.

    One that came with the very claim by which the device is owned is its owner's own.
    """
    ownership, share = (apps.get_model("devices", name) for name in ("Ownership", "SharedAccess"))
    later = ownership.objects.filter(
        device=OuterRef("device"), ended_at=None, started_at__gt=OuterRef("started_at")
    )
    own = Q(start_evidence=OuterRef("start_evidence")) & ~Q(start_evidence="")
    old = share.objects.filter(Exists(later.exclude(own)), ended_at=None)
    old.update(
        ended_at=Subquery(later.values("started_at")[:1]),
        end_reason="handover",
        ended_by="Custody",
        end_note="The device got a new owner.",
    )


class Migration(migrations.Migration):

    dependencies = [("devices", "0044_wipe_is_one_of_three")]

    operations = [migrations.RunPython(end_what_outlived_a_change_of_hands, migrations.RunPython.noop)]
