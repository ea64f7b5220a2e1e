"""One row for each place in the place of one for each window. What was counted before is forgotten."""

from django.db import migrations, models


def forget(apps, schema_editor):
    apps.get_model("console", "Throttle").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("console", "0009_webhook_lanes")]

    operations = [
        migrations.RunPython(forget, forget),
        migrations.RemoveConstraint("throttle", "throttle_unique"),
        migrations.AlterField("throttle", "key", models.CharField(max_length=64, unique=True)),
        migrations.AddField("throttle", "tries", models.JSONField(default=list)),
    ]
