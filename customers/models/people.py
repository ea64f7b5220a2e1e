from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.tenancy import TenantModel
from customers.models.customer import Customer
from customers.models.project import Project


class CustomerRole(models.TextChoices):
    ADMIN = "admin", _("Admin")
    OPERATOR = "operator", _("Operator")
    VIEWER = "viewer", _("Viewer")

    @classmethod
    def get_choices(cls) -> list:
        """The choices, for model fields."""
        return cls.choices


class CustomerUser(TenantModel):
    """A person of a customer. Has no access to the console."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="people")
    user = models.ForeignKey("console.User", models.PROTECT, related_name="customer_users")
    role = models.CharField(
        _("Role"), max_length=10, choices=CustomerRole.get_choices, default=CustomerRole.ADMIN
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "user"],
                name="customer_user_unique",
                violation_error_message=_("This person belongs to the customer already."),
            ),
        ]
        indexes = [models.Index(fields=["user", "removed_at"], name="customer_user_by_user")]

    def __str__(self) -> str:
        return str(self.user)


class ProjectMember(TenantModel):
    """A person from outside the customer who reaches one project: an additional member of a claim profile."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="members")
    user = models.ForeignKey("console.User", models.PROTECT, related_name="project_members")
    role = models.CharField(_("Role"), max_length=10, choices=CustomerRole.get_choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="project_member_unique")]

    def __str__(self) -> str:
        return str(self.user)
