"""The audit events of label sheets."""

from django.utils.translation import gettext_lazy as _

from claims.models import LabelSheet
from claims.profiles.events import CLAIMS
from console.access import Permission
from console.audit import subjects
from console.audit.kinds import Kind

SHEET_CREATED = Kind(
    "label_sheet.created",
    _("Labels printed"),
    "printer",
    _("{actor} printed the labels {subject}"),
    CLAIMS,
    former=("label_sheet.made",),
)
SHEET_DOWNLOADED = Kind(
    "label_sheet.downloaded", _("Labels downloaded"), "download", _("{actor} downloaded the labels {subject}"), CLAIMS
)

subjects.register(subjects.Subject(LabelSheet, page="claims:label_sheet_detail", may=Permission.CODE_VIEW))
