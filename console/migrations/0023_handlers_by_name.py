from django.db import migrations
from django.db.models import Case, CharField, F, Value, When

# Each handler by its name: where its function lies now, and where it lay before the features had rooms of their own.
HANDLERS = {
    "customer_import.apply": ["customers.actions.imports.run_apply"],
    "customer_import.check": ["customers.actions.imports.run_check"],
    "device.assign": ["devices.actions.ownership.run_assign"],
    "device.assign_named": ["devices.actions.batches.run_assign"],
    "device.unclaim": ["devices.actions.ownership.run_unclaim"],
    "device.unclaim_named": ["devices.actions.batches.run_unclaim"],
    "device.undo_assign": ["devices.actions.undo.run_undo_assign"],
    "device.undo_unclaim": ["devices.actions.undo.run_undo_unclaim"],
    "edited_export.apply": ["devices.edited_exports.actions.run_apply", "devices.actions.roundtrips.run_apply"],
    "edited_export.check": ["devices.edited_exports.actions.run_check", "devices.actions.roundtrips.run_check"],
    "manifest.apply": ["devices.manifest.actions.run_apply", "devices.actions.manifests.run_apply"],
    "manifest.check": ["devices.manifest.actions.run_check", "devices.actions.manifests.run_check"],
    "claim_code.create": ["claims.profiles.actions.codes.run_make", "claims.actions.claim_codes.run_make"],
    "label.print": ["claims.labels.actions.run_print", "claims.actions.labels.run_print"],
    "return.inspect": ["claims.returns.actions.inspection.run_inspect", "claims.actions.return_inspection.run_inspect"],
    "return.receive": ["claims.returns.actions.returns.run_receive", "claims.actions.returns.run_receive"],
    "return.receive_named": ["claims.returns.actions.batches.run_receive", "claims.actions.return_batches.run_receive"],
    "return.undo_inspect": [
        "claims.returns.actions.inspection_undo.run_undo_inspect",
        "claims.actions.inspection_undo.run_undo_inspect",
    ],
    "return.undo_receive": [
        "claims.returns.actions.receipt_undo.run_undo_receive",
        "claims.actions.return_undo.run_undo_receive",
    ],
    "shipment.ship": ["claims.shipments.actions.shipments.run_ship", "claims.actions.shipments.run_ship"],
}


def rename(apps, new_names):
    """Write the new names in one statement; what has none keeps its own."""
    cases = [When(handler=old, then=Value(new)) for old, new in new_names.items()]
    rows = apps.get_model("console", "Operation").objects.filter(handler__in=list(new_names))
    rows.update(handler=Case(*cases, default=F("handler"), output_field=CharField()))


def name_handlers(apps, schema_editor):
    rename(apps, {path: name for name, paths in HANDLERS.items() for path in paths})


def place_handlers(apps, schema_editor):
    rename(apps, {name: paths[0] for name, paths in HANDLERS.items()})


class Migration(migrations.Migration):
    """An operation holds its handler's name, so that what is queued outlives a file that moves."""

    dependencies = [("console", "0022_events_say_created")]

    operations = [migrations.RunPython(name_handlers, place_handlers)]
