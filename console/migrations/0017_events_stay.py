from django.db import migrations

from console.constraints import AddTriggers, Undeletable


class Migration(migrations.Migration):
    """No line of the log is deleted, whoever asks the database for it."""

    dependencies = [("console", "0016_events_in_order")]

    operations = [
        AddTriggers("event", Undeletable(name="event_undeletable")),
    ]
