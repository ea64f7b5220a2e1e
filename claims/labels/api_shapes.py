"""Shapes of requests and responses of the API for labels."""

from typing import Any

from rest_framework import serializers

from claims.labels import files
from claims.labels.drawing import FIELDS, MOST_TEXT, USUAL
from claims.labels.forms import MOST_SHIFT
from claims.labels.stocks import STOCKS
from claims.labels.writers import FORMS
from claims.models import LabelSheet
from console.rest.fields import Flag, Text, Whole
from devices.api.naming import Named

MOST_START = 1_000


class Millimetres(serializers.FloatField):
    """A number of millimetres. Strings and booleans are refused."""

    def to_internal_value(self, data: Any) -> float:
        """Return the number. Raises ValidationError for a string or a boolean."""
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.fail("invalid")
        return super().to_internal_value(data)


class LabelSheetIn(Named):
    """The devices to print, in this order, and how to print them."""

    stock = serializers.ChoiceField(choices=[(key, str(key)) for key in STOCKS], default="L7160")
    form = serializers.ChoiceField(
        choices=list(FORMS), default="pdf", help_text="`svg` and `png` are returned as a ZIP file."
    )
    claim_profile = Text(
        max_length=60,
        required=False,
        allow_null=True,
        help_text="Id or slug of the claim profile. If omitted, the newest code of each device is printed.",
    )
    text = Text(max_length=MOST_TEXT, default="Scan to claim", allow_blank=True, help_text="Printed below the code.")
    fields_shown = serializers.ListField(
        child=serializers.ChoiceField(choices=list(FIELDS)), default=USUAL, max_length=len(FIELDS)
    )
    start = Whole(
        min_value=1, max_value=MOST_START, default=1, help_text="The first label to print on, for a partly used sheet."
    )
    shift_x = Millimetres(
        min_value=-MOST_SHIFT, max_value=MOST_SHIFT, default=0, help_text="Shift to the right, in mm."
    )
    shift_y = Millimetres(min_value=-MOST_SHIFT, max_value=MOST_SHIFT, default=0, help_text="Shift down, in mm.")
    outline = Flag(default=False, help_text="Draw the labels' outlines, for a test print.")


class LabelSheetOut(serializers.ModelSerializer):
    """A file of labels, which is kept for 7 days. Sheets that were printed at once in the console have no file."""

    form = serializers.ChoiceField(choices=list(FORMS))
    count = serializers.IntegerField(help_text="The number of labels requested or, once done, printed.")
    operation = serializers.IntegerField(
        source="operation_id",
        allow_null=True,
        help_text="Id of the operation that prints the labels. Poll it until it is done.",
    )
    is_ready = serializers.SerializerMethodField()

    class Meta:
        model = LabelSheet
        fields = ["id", "stock", "form", "count", "operation", "is_ready", "created_at", "created_by"]

    def get_is_ready(self, sheet: LabelSheet) -> bool:
        """Whether the file is ready to download."""
        return files.STORE.is_kept(sheet.file_name)
