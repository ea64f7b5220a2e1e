from django.db import models
from django.utils import timezone


class IdempotentAnswer(models.Model):
    """The answer to a call with an Idempotency-Key, kept for a day. `status` is empty only while the call is running.

    `digest` is the SHA-256 of the call: method, address and body.
    """

    key_id = models.BigIntegerField()
    token = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=80, blank=True)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key_id", "token"], name="idempotent_answer_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_answer_by_age")]

    def __str__(self) -> str:
        return self.token
