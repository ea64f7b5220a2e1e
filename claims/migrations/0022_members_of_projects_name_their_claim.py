from django.db import migrations


def name_their_claim(apps, schema_editor):
    """A member came with the last claim into the project before it: both were written in one transaction."""
    claim = apps.get_model("claims", "Claim")
    rows = apps.get_model("customers", "ProjectMember").objects.filter(start_evidence="").order_by("pk")
    for row in rows.iterator(chunk_size=500):
        claims = claim.objects.filter(project=row.project_id, at__lte=row.started_at)
        pk = claims.order_by("-at", "-pk").values_list("pk", flat=True).first()
        if pk is not None:
            rows.filter(pk=row.pk).update(start_evidence=f"claim:{pk}")


class Migration(migrations.Migration):

    dependencies = [
        ("claims", "0021_shipments_are_claimed_by_code"),
        ("customers", "0004_who_left_reaches_no_project"),
    ]

    operations = [migrations.RunPython(name_their_claim, migrations.RunPython.noop)]
