from datetime import timedelta

from django.db import migrations
from django.db.models import Exists, F, OuterRef
from django.utils import timezone


def end_those_who_left(apps, schema_editor):
    """Nothing ended a membership until now: those of people who left the organization end here."""
    member, person, row = (
        apps.get_model(*name)
        for name in (("console", "Member"), ("customers", "CustomerUser"), ("customers", "ProjectMember"))
    )
    of_organization = member.objects.filter(
        organization=OuterRef("organization"), user=OuterRef("user"), removed_at=None
    )
    of_customer = person.objects.filter(
        customer=OuterRef("project__customer"), user=OuterRef("user"), removed_at=None
    )
    now = timezone.now()
    left = row.objects.filter(~Exists(of_organization), ~Exists(of_customer), ended_at=None)
    said = {
        "end_reason": "left",
        "ended_by": "Custody",
        "end_note": "They had left the organization before memberships of projects could end.",
    }
    ids = list(left.values_list("pk", flat=True))
    for start in range(0, len(ids), 500):
        rows = row.objects.filter(pk__in=ids[start : start + 500])
        rows.filter(started_at__gte=now).update(ended_at=F("started_at") + timedelta(microseconds=1), **said)
        rows.filter(ended_at=None).update(ended_at=now, **said)


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0003_members_of_projects_are_spans"),
        ("console", "0008_webhook_of_a_key"),
    ]

    operations = [migrations.RunPython(end_those_who_left, migrations.RunPython.noop)]
