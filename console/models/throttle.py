from django.db import models


class Throttle(models.Model):
    """Recent attempts from one place: `tries` holds [start of a slice of time, count]."""

    key = models.CharField(max_length=64, unique=True)
    # The Unix time of the last attempt.
    window = models.BigIntegerField()
    count = models.IntegerField(default=0)
    tries = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["window"], name="throttle_by_window")]

    def __str__(self) -> str:
        return self.key
