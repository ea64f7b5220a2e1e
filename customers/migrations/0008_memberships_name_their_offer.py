from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("customers", "0007_who_came_by_itself_takes_nothing")]

    operations = [
        migrations.AddField(
            model_name="projectmember",
            name="start_note",
            field=models.CharField(blank=True, default="", max_length=500),
            preserve_default=False,
        ),
    ]
