from django.db import migrations

from console.constraints import AddTriggers, InOrder


class Migration(migrations.Migration):
    """Who adds events announces itself, so that readers know up to where all of them are committed."""

    dependencies = [("console", "0015_webhook_busy_lines")]

    operations = [
        AddTriggers("event", InOrder(name="event_in_order")),
    ]
