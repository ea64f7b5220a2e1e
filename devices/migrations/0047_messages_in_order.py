from django.db import migrations

from console.constraints import AddTriggers, InOrder


class Migration(migrations.Migration):
    """Who adds messages announces itself, so that readers know up to where all of them are committed."""

    dependencies = [("devices", "0046_customers_may_take")]

    operations = [
        AddTriggers("message", InOrder(name="message_in_order")),
    ]
