import customers.models.people
from django.db import migrations, models
from django.db.models import F, Q


def forget_the_ended(apps, schema_editor):
    """Going back, a row that is there is access: those that ended can't stay."""
    apps.get_model("customers", "ProjectMember").objects.filter(ended_at__isnull=False).delete()


class Migration(migrations.Migration):

    dependencies = [("customers", "0002_api_keys")]

    operations = [
        migrations.RemoveConstraint(model_name="projectmember", name="project_member_unique"),
        migrations.RenameField(model_name="projectmember", old_name="created_at", new_name="started_at"),
        migrations.AlterField(
            model_name="projectmember", name="started_at", field=models.DateTimeField()
        ),
        migrations.AddField(
            model_name="projectmember",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="projectmember",
            name="start_reason",
            field=models.CharField(
                choices=customers.models.people.MemberStart.get_choices, default="claim", max_length=12
            ),
        ),
        migrations.AddField(
            model_name="projectmember",
            name="end_reason",
            field=models.CharField(
                blank=True, choices=customers.models.people.MemberEnd.get_choices, max_length=12, null=True
            ),
        ),
        migrations.AddField(
            model_name="projectmember",
            name="started_by",
            field=models.CharField(blank=True, default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="projectmember",
            name="start_evidence",
            field=models.CharField(blank=True, default="", max_length=60),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="projectmember",
            name="ended_by",
            field=models.CharField(blank=True, default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="projectmember",
            name="end_note",
            field=models.CharField(blank=True, default="", max_length=500),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="projectmember",
            constraint=models.UniqueConstraint(
                condition=Q(ended_at__isnull=True), fields=("project", "user"), name="project_member_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="projectmember",
            constraint=models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
                name="project_member_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectmember",
            constraint=models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end_reason__isnull=True)
                | Q(ended_at__isnull=False, end_reason__isnull=False),
                name="project_member_end_with_reason",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget_the_ended),
    ]
