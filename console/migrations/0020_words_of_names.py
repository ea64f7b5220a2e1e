"""A table of the words of names, by which they are found."""

from django.db import migrations, models

import console.fields


class Migration(migrations.Migration):
    dependencies = [("console", "0019_operations_of_a_person")]

    operations = [
        migrations.CreateModel(
            "NameWord",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("row_id", models.BigIntegerField()),
                ("word", console.fields.KeyField(max_length=60)),
            ],
            options={
                "indexes": [models.Index(fields=["kind", "word", "row_id"], name="name_word_by_word")],
                "constraints": [models.UniqueConstraint(fields=("kind", "row_id", "word"), name="name_word_unique")],
            },
        ),
    ]
