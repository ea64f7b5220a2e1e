"""This app's steps in the checklist of a new organization."""

from django.utils.translation import gettext_lazy as _

from claims.models import ClaimProfile
from console.access import Permission
from console.first_steps import Step


def steps() -> list[Step]:
    """Return the step of creating the first claim profile."""
    return [
        Step(
            _("Create a claim profile"),
            _("A link and QR code that customers use to claim their devices."),
            "qr-code",
            "claims:claim_profile_create",
            ClaimProfile.objects.visible_to,
            Permission.PROFILE_EDIT,
        )
    ]
