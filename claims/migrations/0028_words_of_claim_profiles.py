"""The words of the names that are there already."""

from itertools import islice

from django.db import migrations

from console import words


def fill(apps, schema_editor):
    rows = apps.get_model("claims", "ClaimProfile").objects.order_by("pk").values_list("pk", "name").iterator()
    kept = apps.get_model("console", "NameWord").objects
    while chunk := list(islice(rows, 2_000)):
        kept.bulk_create(
            [kept.model(kind="claim_profile", row_id=pk, word=word) for pk, name in chunk for word in words.of(name)],
            batch_size=2_000,
        )


def empty(apps, schema_editor):
    apps.get_model("console", "NameWord").objects.filter(kind="claim_profile").delete()


class Migration(migrations.Migration):
    dependencies = [("claims", "0027_inspections_can_be_undone"), ("console", "0020_words_of_names")]

    operations = [migrations.RunPython(fill, empty)]
