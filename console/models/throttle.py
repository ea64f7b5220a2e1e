from django.db import models


class Throttle(models.Model):
    """How often something was tried from one place in one window of time."""

    key = models.CharField(max_length=64)
    window = models.BigIntegerField()
    count = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window"], name="throttle_unique")]
        indexes = [models.Index(fields=["window"], name="throttle_by_window")]

    def __str__(self) -> str:
        return f"{self.key} {self.count}"
