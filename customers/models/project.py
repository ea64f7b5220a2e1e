from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.tenancy import TenantModel, TenantQuerySet
from customers.models.customer import Customer


class ProjectQuerySet(TenantQuerySet["Project"]):
    def for_customer(self, actor: Actor) -> Self:
        """Return the projects of the person's customers, and those that they reach as additional members."""
        return self.filter(Q(customer__in=actor.customers) | Q(pk__in=actor.projects))


class Project(TenantModel):
    """A customer's workspace, which contains claimed or shared devices. Each customer has a default one."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="projects")
    name = models.CharField(_("Name"), max_length=120)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar = ProjectQuerySet.as_manager()

    # The open memberships; set only for the rows of a page.
    open_members: list[Any]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer"], condition=Q(is_default=True), name="project_one_default")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("portal:project_detail", args=[self.pk])
