"""The only way an edge gets rows: every tenant row belongs to one organization, and `visible_to` fails closed."""

from typing import Any, Self

from django.db import models

from console.access import Actor, Permission


class TenantQuerySet(models.QuerySet):
    """Rows of organizations. A model that customers may see overrides `for_customer`."""

    def visible_to(self, actor: Actor) -> Self:
        """The rows that this actor may read: a member those of the organization, a customer what `for_customer` gives.

        Everybody else, and a member without the right to view, gets nothing.
        """
        if actor.kind in {"member", "system"} and actor.may(Permission.VIEW):
            return self.filter(organization=actor.organization)
        if actor.kind == "customer":
            return self.for_customer(actor)
        return self.none()

    def for_customer(self, actor: Actor) -> Self:
        """The rows that a customer's person may read: none, unless the model says otherwise."""
        return self.none()

    def delete(self) -> Any:
        raise NotImplementedError("Rows are archived, not deleted; use purge() for those that the ledger never saw.")

    def purge(self) -> Any:
        """Delete for good. For rows without history only: drafts, expired invitations, spent counters."""
        return super().delete()


class TenantModel(models.Model):
    """A row of exactly one organization."""

    organization = models.ForeignKey("console.Organization", models.PROTECT, related_name="+")

    # A model with a manager of its own declares it as `objects: ClassVar`, which this one is to the type checker.
    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
