from django.db import migrations
from django.db.models import Exists, OuterRef, Q


def switch_off(apps, schema_editor):
    """Of those whose own person made them, by a claim: whoever holds any label could become a customer so."""
    customer, user = apps.get_model("customers", "Customer"), apps.get_model("customers", "CustomerUser")
    staff = apps.get_model("console", "Member").objects.filter(user=OuterRef("actor_id"), organization=OuterRef("organization"))
    people = user.objects.filter(user=OuterRef("actor_id"), customer=OuterRef("subject_id"))
    made = apps.get_model("console", "Event").objects.filter(
        ~Exists(staff), Exists(people), Q(organization=OuterRef("organization")),
        kind__in=["customer.made", "customer.created"],  # The log calls it by either, depending on what ran before.
        subject_kind="customer", subject_id=OuterRef("pk"),
    )  # fmt: skip
    customer.objects.filter(Exists(made)).update(may_take=False)


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_may_take"), ("console", "0001_initial")]

    operations = [migrations.RunPython(switch_off, migrations.RunPython.noop)]
