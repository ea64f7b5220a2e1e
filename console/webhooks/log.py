"""Queries for the log of deliveries."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from console.models import WebhookAttempt


def counted(deliveries: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate the deliveries with `tries_made`: all attempts, including those before a delivery was sent again.

    `attempts` of the row only says how far it is in the schedule.
    """
    # unscoped: only the attempts of the deliveries passed in
    tries = WebhookAttempt.objects.filter(delivery=OuterRef("pk")).order_by().values("delivery")
    count = Subquery(tries.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
    return deliveries.annotate(tries_made=Coalesce(count, 0))
