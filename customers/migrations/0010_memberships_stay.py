from django.db import migrations

from console.constraints import AddTriggers, Undeletable


class Migration(migrations.Migration):
    """No membership of a project is deleted, whoever asks the database for it."""

    dependencies = [("customers", "0009_words_of_customers")]

    operations = [AddTriggers("projectmember", Undeletable(name="project_member_undeletable"))]
