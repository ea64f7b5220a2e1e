from django.db import migrations

from console.constraints import AddTriggers, Undeletable


class Migration(migrations.Migration):
    """No ownership and no share is deleted, whoever asks the database for it."""

    dependencies = [("devices", "0049_ownerships_in_order")]

    operations = [
        AddTriggers("ownership", Undeletable(name="ownership_undeletable")),
        AddTriggers("sharedaccess", Undeletable(name="sharedaccess_undeletable")),
    ]
