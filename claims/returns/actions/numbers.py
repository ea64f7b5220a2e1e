"""Numbers the returns of an organization."""

from django.db.models import Max

from claims.models import Return
from console.models import Organization


def first_free(organization_id: int) -> int:
    """The number after the last one; nobody else gets it until this transaction ends."""
    list(Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).values_list("pk"))
    last = Return.objects.filter(organization=organization_id).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1
