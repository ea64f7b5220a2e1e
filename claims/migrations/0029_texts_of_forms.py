"""Texts of the forms of claim profiles, shipments and returns. The tables stay as they are."""

import claims.models.claim_profile
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0028_words_of_claim_profiles"),
        ("console", "0023_handlers_by_name"),
        ("customers", "0010_memberships_stay"),
        ("devices", "0051_words_of_products"),
    ]

    operations = [
        migrations.AlterField(
            model_name="claimprofile",
            name="additional_project",
            field=models.ForeignKey(
                blank=True,
                help_text="One of your internal projects, which also gets access to every claimed device.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.project",
                verbose_name="Additional project",
            ),
        ),
        migrations.AlterField(
            model_name="claimprofile",
            name="domain",
            field=models.ForeignKey(
                blank=True,
                help_text="The codes only work there. Leave empty to allow any address of this server.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="console.organizationdomain",
                verbose_name="Claim domain",
            ),
        ),
        migrations.AlterField(
            model_name="claimprofile",
            name="grant",
            field=models.CharField(
                choices=claims.models.claim_profile.Grant.get_choices,
                default="ownership",
                max_length=10,
                verbose_name="Grants",
            ),
        ),
        migrations.AlterField(
            model_name="claimprofile",
            name="max_claims",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="How often it can be claimed. Leave empty (or 0) for no limit.",
                null=True,
                verbose_name="Max claims",
            ),
        ),
        migrations.AlterField(
            model_name="claimprofile",
            name="product",
            field=models.ForeignKey(
                blank=True,
                help_text="Every device of the product gets a code, including those registered later.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="claim_profiles",
                to="devices.product",
                verbose_name="Product",
            ),
        ),
        migrations.AlterField(
            model_name="claimprofile",
            name="slug",
            field=models.SlugField(
                help_text="A short name for your own use and the API.", max_length=60, verbose_name="Identifier"
            ),
        ),
        migrations.AlterField(
            model_name="shipment",
            name="is_claimed_by_code",
            field=models.BooleanField(
                default=False,
                help_text="The devices stay reserved until then. Otherwise they belong to the customer as soon as they are shipped.",
                verbose_name="The customer claims the box with a code on the packing list",
            ),
        ),
        migrations.AlterField(
            model_name="shipment",
            name="ship_to",
            field=models.TextField(
                blank=True, help_text="Address and notes for the carrier.", max_length=400, verbose_name="Ship to"
            ),
        ),
        migrations.AlterField(
            model_name="shipment",
            name="tells_customer",
            field=models.BooleanField(default=False, verbose_name="Email the customer when it is shipped"),
        ),
        migrations.AlterConstraint(
            model_name="claimprofile",
            name="claim_profile_within_limit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_claims__isnull", True), ("claim_count__lte", models.F("max_claims")), _connector="OR"
                ),
                name="claim_profile_within_limit",
                violation_error_message="It has already been claimed more often than that.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="claimprofile",
            name="claim_profile_window",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_from__isnull", True),
                    ("valid_until__isnull", True),
                    ("valid_until__gt", models.F("valid_from")),
                    _connector="OR",
                ),
                name="claim_profile_window",
                violation_error_message="The end must be after the start.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="returnreason",
            name="return_reason_unique",
            constraint=models.UniqueConstraint(
                fields=("organization", "name_key"),
                name="return_reason_unique",
                violation_error_message="This reason already exists.",
            ),
        ),
    ]
