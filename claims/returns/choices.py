"""The organization's reasons for returns and its inspection checklist, with defaults until it sets up its own."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from claims.models import ReturnCheck, ReturnReason, ReturnSettings

REASONS = [
    (_("Defective"), True),
    (_("Wrong item"), True),
    (_("Not needed any more"), True),
    (_("Upgrade"), True),
    (_("Damaged in transit"), True),
    (_("End of contract"), False),
    (_("Other"), True),
]
CHECKS = [
    (_("Housing whole and clean"), True),
    (_("Powers on"), True),
    (_("Connects and reports"), True),
    (_("Accessories complete"), True),
]


@dataclass(frozen=True)
class Choice:
    """A reason or a point of the checklist; without `pk` it is a default, which has no row in the database yet."""

    text: str
    pk: int | None = None
    is_for_customers: bool = True
    is_archived: bool = False


def default_reasons() -> list[Choice]:
    """Return the reasons of an organization that has not set up any."""
    return [Choice(text, is_for_customers=is_for_customers) for text, is_for_customers in _plain(REASONS)]


def default_checks() -> list[Choice]:
    """Return the checklist of an organization that has not set up any."""
    return [Choice(text) for text, _also in _plain(CHECKS)]


def in_words(text: str) -> str:
    """Return a reason in the reader's language if it is a default, otherwise as the organization wrote it."""
    return gettext(text) if text else ""


def reasons(organization: Any, *, for_customers: bool = False, archived: bool = False) -> list[Choice]:
    """Return the organization's reasons in their order.

    With `for_customers`, only those offered to customers; with `archived`, the archived ones too.
    """
    # unscoped: customers choose from these reasons too; the filter names their organization
    rows = ReturnReason.objects.filter(organization=organization).order_by("position", "pk")
    found = [Choice(r.name, r.pk, r.is_for_customers, r.archived_at is not None) for r in rows]
    found = found or default_reasons()
    return [r for r in found if (archived or not r.is_archived) and (r.is_for_customers or not for_customers)]


def checks(organization: Any, *, archived: bool = False) -> list[Choice]:
    """Return the organization's checklist in its order; with `archived`, the archived points too."""
    # unscoped: only the caller's own organization is read
    rows = ReturnCheck.objects.filter(organization=organization).order_by("position", "pk")
    found = [Choice(r.text, r.pk, is_archived=r.archived_at is not None) for r in rows] or default_checks()
    return [check for check in found if archived or not check.is_archived]


def settings_of(organization: Any) -> ReturnSettings:
    """Return the organization's return settings; empty, unsaved ones if it has none yet."""
    # unscoped: the slip is written for customers; the filter names their organization
    found = ReturnSettings.objects.filter(organization=organization).first()
    return found or ReturnSettings(organization=organization)


def _plain(rows: list[tuple[Any, bool]]) -> list[tuple[str, bool]]:
    """Return the rows in the console's default language, because stored texts read the same for everybody."""
    with override(settings.LANGUAGE_CODE):
        return [(str(text), flag) for text, flag in rows]
