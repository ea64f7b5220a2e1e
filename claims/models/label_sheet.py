from django.db import models
from django.utils import timezone

from console.tenancy import TenantModel


class LabelSheet(TenantModel):
    """A file of labels, created by the worker if there are many. The file is deleted after some days.

    `stock` is a key of `claims.labels.stocks`, `form` one of pdf, svg, png, csv. The sheet holds the codes as they were
    when it was created. `operation.payload` says what it contains.
    """

    stock = models.CharField(max_length=40)
    form = models.CharField(max_length=4)
    count = models.PositiveIntegerField()
    file_name = models.CharField(max_length=80, blank=True)
    operation = models.OneToOneField("console.Operation", models.PROTECT, null=True, related_name="label_sheet")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=200)

    # Set by `name_all`, for a page.
    stock_name: str
    form_name: str
    is_kept: bool

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="label_sheet_by_age")]

    def __str__(self) -> str:
        return f"{self.count} × {self.stock}"
