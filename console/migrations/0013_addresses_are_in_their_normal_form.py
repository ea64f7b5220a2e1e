"""Addresses whose domain was written in ASCII (xn--…) are kept in letters, as they are compared from now on."""

from django.conf import settings
from django.db import migrations
from django.db.models import Q

from console import addresses


def normalise(apps, schema_editor):
    users = apps.get_model(settings.AUTH_USER_MODEL)
    for model in (users, apps.get_model("console", "Invitation"), apps.get_model("account", "EmailAddress")):
        for row in model.objects.filter(Q(email__contains="xn--") | Q(email__contains="\u3002")):
            email = addresses.normal(row.email)
            # Two accounts of one mailbox both stay as they are: mail to either comes to the same person.
            if email != row.email and not model.objects.filter(email=email).exists():
                model.objects.filter(pk=row.pk).update(email=email)


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0012_webhook_keeps_while_disabled"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [migrations.RunPython(normalise, migrations.RunPython.noop)]
