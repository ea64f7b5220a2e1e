"""Labels, help texts and messages of forms; no column changes."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0024_one_handler_for_each_action'),
        ('customers', '0010_memberships_stay'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='customer',
            name='email',
            field=models.EmailField(blank=True, max_length=254, verbose_name='Email'),
        ),
        migrations.AlterField(
            model_name='customer',
            name='may_take',
            field=models.BooleanField(default=True, help_text='Through the API, for products that allow it.', verbose_name='May take devices by serial number and device name'),
        ),
        migrations.AlterField(
            model_name='customer',
            name='reference',
            field=models.CharField(blank=True, help_text='Your own number for the customer.', max_length=60, verbose_name='Your reference'),
        ),
        migrations.AlterConstraint(
            model_name='customeruser',
            name='customer_user_unique',
            constraint=models.UniqueConstraint(fields=('customer', 'user'), name='customer_user_unique', violation_error_message='This person already belongs to the customer.'),
        ),
    ]
