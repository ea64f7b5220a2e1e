from django.db import models
from django.utils import timezone


class OutgoingMail(models.Model):
    """A mail, written in the transaction that causes it and sent by the worker. Its text is erased after sending."""

    recipient = models.EmailField()
    message = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="mail_unsent", condition=models.Q(sent_at__isnull=True))]

    def __str__(self) -> str:
        return self.recipient
