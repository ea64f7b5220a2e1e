from django.db import migrations


def name_the_offer(apps, schema_editor):
    """Whoever owns a device reads by which offer others see it: what is kept says it by the number of a claim."""
    claim = apps.get_model("claims", "Claim")
    for model in (apps.get_model("customers", "ProjectMember"), apps.get_model("devices", "SharedAccess")):
        rows = model.objects.filter(start_note="", start_evidence__startswith="claim:")
        for evidence in rows.order_by().values_list("start_evidence", flat=True).distinct():
            number = evidence.removeprefix("claim:")
            found = claim.objects.filter(pk=number) if number.isdecimal() else claim.objects.none()
            name = found.values_list("profile__name", flat=True).first()
            if name:
                rows.filter(start_evidence=evidence).update(start_note=name)


class Migration(migrations.Migration):

    dependencies = [
        ("claims", "0025_funnel_by_time"),
        ("customers", "0008_memberships_name_their_offer"),
        ("devices", "0045_shares_end_with_a_change_of_hands"),
    ]

    operations = [migrations.RunPython(name_the_offer, migrations.RunPython.noop)]
