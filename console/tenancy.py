"""The only way for an edge to read rows: each tenant row has one organization, and `visible_to` fails closed."""

from typing import Any, Self, TypeVar

from django.db import models

from console.access import Actor, Permission

Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class TenantQuerySet(models.QuerySet[Row_co]):
    """Rows of organizations. A model whose rows customers may see overrides `for_customer`."""

    def visible_to(self, actor: Actor) -> Self:
        """Return the rows that this actor may read: a member the organization's, a customer those of `for_customer`.

        Everybody else, and a member without the right to view, gets no rows.
        """
        if actor.kind in {"member", "system"} and actor.may(Permission.VIEW):
            return self.filter(organization=actor.organization)
        if actor.kind == "customer":
            return self.for_customer(actor)
        return self.none()

    def for_customer(self, actor: Actor) -> Self:
        """Return the rows that a customer's person may read: none, unless the model overrides this."""
        return self.none()

    def delete(self) -> Any:
        raise NotImplementedError("Rows are archived, not deleted; use purge() for those that the ledger never saw.")

    def purge(self) -> Any:
        """Delete permanently. For rows without history only: drafts, expired invitations, used-up counters."""
        return super().delete()


class TenantModel(models.Model):
    """A row of exactly one organization."""

    organization = models.ForeignKey("console.Organization", models.PROTECT, related_name="+")

    # A model with a manager of its own declares it as `objects: ClassVar`; to the type checker, this one is a ClassVar.
    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
