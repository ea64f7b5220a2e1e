from django.db import migrations, models

from console.constraints import AddTriggers, InOrder


class Migration(migrations.Migration):
    """Who begins or ends an ownership announces itself, and readers follow the numbers."""

    dependencies = [("devices", "0048_ownerships_are_numbered")]

    operations = [
        migrations.AddIndex(
            model_name="ownership",
            index=models.Index(fields=["change"], name="ownership_by_change"),
        ),
        AddTriggers("ownership", InOrder(name="ownership_in_order", column="change", numbers_on="ended_at")),
    ]
