from django.db import models
from django.utils import timezone

from console.models.operation import Operation
from console.tenancy import TenantModel


class FileImport(TenantModel):
    """A file that was uploaded to be imported: where it is stored, how it is read, what the check found, what was done.

    The file is kept as it was uploaded, and the check writes what it found into a second file beside it (`checked_as`),
    so that no partial result is stored anywhere else. `version` counts the checks: people who apply an import name the
    version that they looked at.
    """

    file_name = models.CharField(max_length=200)
    stored_as = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    row_count = models.BigIntegerField(default=0)
    # A person's corrections: {"columns": {index: name}, "sheet": "…", and what the kind of import adds}.
    reading = models.JSONField(default=dict)
    # The results of the check, see console.imports.checking.summarise; empty until the file is checked.
    summary = models.JSONField(default=dict)
    # The result: {"new": n, "changed": n, "unchanged": n, "refused": n, "by": "…"}; empty until the import is applied.
    outcome = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=0)
    checked_as = models.CharField(max_length=200, blank=True)
    checked_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)
    operation = models.ForeignKey(Operation, models.PROTECT, null=True, related_name="+")
    by_label = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_running(self) -> bool:
        """Whether the worker is processing it."""
        return self.operation is not None and not self.operation.is_over
