from django.db import migrations

# What a batch over REST was done by, and what does it now, which also does what is selected on a page.
HANDLERS = {
    "device.assign_named": "device.assign",
    "device.unclaim_named": "device.unclaim",
    "return.receive_named": "return.receive",
}


def join_handlers(apps, schema_editor):
    for former, name in HANDLERS.items():
        apps.get_model("console", "Operation").objects.filter(handler=former).update(handler=name)


def part_handlers(apps, schema_editor):
    for former, name in HANDLERS.items():
        rows = apps.get_model("console", "Operation").objects.filter(handler=name, payload__has_key="names")
        rows.update(handler=former)


class Migration(migrations.Migration):
    """An act had a second handler for batches; a batch is now known by the names in its payload."""

    dependencies = [("console", "0023_handlers_by_name")]

    operations = [migrations.RunPython(join_handlers, part_handlers)]
