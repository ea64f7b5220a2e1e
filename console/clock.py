"""The one clock of the ledger and of what devices say: times of both are compared, so one clock has to tell them."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """The present instant: the database's on PostgreSQL, which several servers share, and this machine's on SQLite."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
