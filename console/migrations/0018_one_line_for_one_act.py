from django.db import migrations, models

import console.constraints

# The log is append-only, so its trigger is taken off for the one moment in which the new column is filled.
HEADS = """
UPDATE console_event SET is_head = FALSE WHERE act IS NOT NULL AND id NOT IN
(SELECT MIN(id) FROM console_event WHERE act IS NOT NULL GROUP BY act, kind, object_id)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0017_events_stay'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='is_head',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='event',
            name='operation_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.RemoveConstraint(model_name='event', name='event_append_only'),
        migrations.RunSQL(HEADS, migrations.RunSQL.noop),
        migrations.AddConstraint(model_name='event', constraint=console.constraints.AppendOnly(name='event_append_only')),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('act__isnull', False)), fields=['act', 'kind', 'object_id', 'id'], name='event_by_act'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('is_head', True)), fields=['organization', '-at', '-id'], name='event_heads'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('is_head', True)), fields=['organization', 'kind', '-at', '-id'], name='event_heads_by_kind'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('is_head', True)), fields=['organization', 'actor_id', '-at', '-id'], name='event_heads_by_actor'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('is_head', True), ('object_id__isnull', False)), fields=['object_kind', 'object_id', '-at', '-id'], name='event_heads_by_object'),
        ),
    ]
