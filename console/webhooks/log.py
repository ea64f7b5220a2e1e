"""What became of the deliveries, for who reads it."""

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from console.models import WebhookAttempt


def counted(deliveries: QuerySet) -> QuerySet:
    """The deliveries with `tries_made`: all of them, also those before one was sent again.

    `attempts` of the row says only how far in the schedule it is.
    """
    # unscoped: of the deliveries given
    tries = WebhookAttempt.objects.filter(delivery=OuterRef("pk")).order_by().values("delivery")
    count = Subquery(tries.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
    return deliveries.annotate(tries_made=Coalesce(count, 0))
