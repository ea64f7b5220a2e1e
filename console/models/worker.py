from django.db import models


class WorkerHeartbeat(models.Model):
    """The time of a worker's last heartbeat."""

    worker = models.CharField(max_length=80, primary_key=True)
    queues = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="worker_heartbeat_at")]

    def __str__(self) -> str:
        return self.worker
