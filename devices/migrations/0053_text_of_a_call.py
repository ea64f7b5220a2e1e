"""The label of a field; no column changes."""

import devices.models.call
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('devices', '0052_texts_of_forms'),
    ]

    operations = [
        migrations.AlterField(
            model_name='call',
            name='kind',
            field=models.CharField(choices=devices.models.call.CallKind.get_choices, max_length=8, verbose_name='Action'),
        ),
    ]
