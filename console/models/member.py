from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.fields import Words
from console.tenancy import TenantModel


class Role(Words):
    OWNER = "owner", _("Owner")
    ADMINISTRATOR = "administrator", _("Administrator")
    PRODUCT_MANAGER = "product_manager", _("Product manager")
    FULFILMENT = "fulfilment", _("Fulfilment")
    SUPPORT = "support", _("Support")
    VIEWER = "viewer", _("Viewer")


class Member(TenantModel):
    """A person of the organization, with one role.

    Members who leave are marked and their rows kept, for the history.
    """

    user = models.ForeignKey("console.User", models.PROTECT, related_name="memberships")
    role = models.CharField(_("Role"), max_length=20, choices=Role.get_choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user"],
                name="member_unique",
                violation_error_message=_("This person is already a member."),
            )
        ]
        indexes = [models.Index(fields=["user", "removed_at"], name="member_by_user")]

    def __str__(self) -> str:
        return str(self.user)


class Invitation(TenantModel):
    """A mailed link to become a member. Only the SHA-256 of its token is stored."""

    email = models.EmailField(_("Email address"))
    role = models.CharField(_("Role"), max_length=20, choices=Role.get_choices)
    token_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.CharField(max_length=200)
    # When this person leaves or the key is revoked, their open invitations end.
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    key_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "-created_at"], name="invitation_by_organization")]

    def __str__(self) -> str:
        return self.email

    @property
    def is_open(self) -> bool:
        """Whether the link still works."""
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > timezone.now()
