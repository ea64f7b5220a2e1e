from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0041_messages_and_calls")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="wipe_since",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
