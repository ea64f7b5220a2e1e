"""The key of an address whose domain was written in ASCII (xn--…) is in letters, as it is compared from now on."""

from django.db import migrations

from console import addresses


def normalise(apps, schema_editor):
    customers = apps.get_model("customers", "Customer")
    for row in customers.objects.filter(email_key__contains="xn--").only("pk", "email").iterator():
        customers.objects.filter(pk=row.pk).update(email_key=addresses.normal(row.email)[:254])


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_who_left_reaches_no_project")]

    operations = [migrations.RunPython(normalise, migrations.RunPython.noop)]
