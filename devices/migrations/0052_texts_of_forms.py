"""Labels, help texts and messages of forms; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0023_handlers_by_name'),
        ('customers', '0010_memberships_stay'),
        ('devices', '0051_words_of_products'),
    ]

    operations = [
        migrations.AlterField(
            model_name='device',
            name='is_development',
            field=models.BooleanField(default=False, help_text='For your own engineers. Gets no automatic firmware updates.', verbose_name='Development device'),
        ),
        migrations.AlterField(
            model_name='device',
            name='manufactured_on',
            field=models.DateField(blank=True, null=True, verbose_name='Manufactured on'),
        ),
        migrations.AlterField(
            model_name='product',
            name='customers_may_take',
            field=models.BooleanField(default=False, help_text='Through the API, with the key of a customer that may take devices. Both are printed on the label, so anyone who has seen it can take the device while it is in stock.', verbose_name='Customers may take devices by serial number and device name'),
        ),
        migrations.AlterField(
            model_name='product',
            name='slug',
            field=models.SlugField(help_text='Used in links and the API.', max_length=60, verbose_name='Slug'),
        ),
        migrations.AlterField(
            model_name='product',
            name='unowned_may_subscribe',
            field=models.BooleanField(default=False, help_text='They can always publish and answer calls.', verbose_name='Devices without an owner may receive messages'),
        ),
        migrations.AlterConstraint(
            model_name='device',
            name='device_serial_unique',
            constraint=models.UniqueConstraint(fields=('product', 'serial_key'), name='device_serial_unique', violation_error_message='This serial number is already registered.'),
        ),
        migrations.AlterConstraint(
            model_name='device',
            name='device_name_unique',
            constraint=models.UniqueConstraint(fields=('organization', 'name_key'), name='device_name_unique', violation_error_message='This device name is already registered.'),
        ),
        migrations.AlterConstraint(
            model_name='device',
            name='device_iccid_unique',
            constraint=models.UniqueConstraint(condition=models.Q(('iccid', ''), _negated=True), fields=('organization', 'iccid'), name='device_iccid_unique', violation_error_message='This ICCID is already registered.'),
        ),
        migrations.AlterConstraint(
            model_name='device',
            name='device_mac_unique',
            constraint=models.UniqueConstraint(condition=models.Q(('mac', ''), _negated=True), fields=('organization', 'mac'), name='device_mac_unique', violation_error_message='This MAC is already registered.'),
        ),
        migrations.AlterConstraint(
            model_name='product',
            name='product_account_with_mode',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ownership_mode', 'single_account'), ('single_account__isnull', False)), models.Q(models.Q(('ownership_mode', 'single_account'), _negated=True), ('single_account__isnull', True)), _connector='OR'), name='product_account_with_mode', violation_error_message='Choose the account that new devices are assigned to.'),
        ),
    ]
