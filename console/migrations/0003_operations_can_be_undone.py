import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0002_activity_in_the_order_of_times'),
    ]

    operations = [
        migrations.AddField(
            model_name='operation',
            name='undo_route',
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name='operation',
            name='undone_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='operation',
            name='undoes',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undone_by', to='console.operation'),
        ),
    ]
