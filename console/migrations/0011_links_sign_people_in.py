"""Links by mail, where six digits would be guessed; and browsers, which are strangers' again after signing out everywhere."""

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0010_tries_are_counted_over_sliding_windows")]

    operations = [
        migrations.AddField("user", "browsers_since", models.DateTimeField(editable=False, null=True)),
        migrations.CreateModel(
            "SignInLink",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254)),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("next_url", models.CharField(blank=True, max_length=500)),
                ("carried", models.JSONField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True, on_delete=models.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
    ]
