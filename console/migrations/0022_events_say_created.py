"""The kinds of events that ended in `.made` end in `.created`, as the columns of what they are about do.

The log is append-only: each batch takes its trigger off and puts it back in one transaction, so that nothing else ever
finds it without. A migration that is interrupted goes on where it stopped.
"""

from django.db import migrations, transaction

from console.constraints import AppendOnly

THINGS = [
    "api_key",
    "claim",
    "claim_profile",
    "customer",
    "label_sheet",
    "organization",
    "product",
    "project",
    "shipment",
    "webhook",
]
BATCH = 10_000


def rename(apps, editor, *, old: str, new: str) -> None:
    """Rename the kinds of each organization's events in batches, by the index of organization and kind."""
    event = apps.get_model("console", "Event")
    for organization in apps.get_model("console", "Organization").objects.order_by("pk").values_list("pk", flat=True):
        for thing in THINGS:
            rows = event.objects.filter(organization=organization, kind=f"{thing}.{old}").order_by("-at", "-pk")
            while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
                write(event, editor, ids, f"{thing}.{new}")


def write(event, editor, ids: list[int], kind: str) -> None:
    """Give these events their new kind."""
    guard = AppendOnly(name="event_append_only")
    with transaction.atomic(using=editor.connection.alias):
        editor.execute(guard.remove_sql(event, editor))
        for start in range(0, len(ids), 500):
            event.objects.filter(pk__in=ids[start : start + 500]).update(kind=kind)
        editor.execute(guard.create_sql(event, editor))


def forwards(apps, editor) -> None:
    rename(apps, editor, old="made", new="created")


def backwards(apps, editor) -> None:
    rename(apps, editor, old="created", new="made")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("console", "0021_operation_return_url")]

    operations = [migrations.RunPython(forwards, backwards)]
