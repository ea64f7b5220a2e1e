from django.db import migrations, models


class Migration(migrations.Migration):
    """Each ownership gets a number that grows whenever it begins or ends. Those that are there begin with their ids."""

    dependencies = [("devices", "0047_messages_in_order")]

    operations = [
        migrations.AddField(
            model_name="ownership",
            name="change",
            field=models.BigIntegerField(db_default=0, editable=False),
        ),
        migrations.RunSQL("UPDATE devices_ownership SET change = id", migrations.RunSQL.noop),
    ]
