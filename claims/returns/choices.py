"""Why units come back and what is checked then, as the organization says it; until it says anything, what most would."""

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
    """A reason or a point of the checklist; without `pk` it is one of the defaults, which are no rows yet."""

    text: str
    pk: int | None = None
    is_for_customers: bool = True
    is_archived: bool = False


def default_reasons() -> list[Choice]:
    """The reasons of an organization that has set up none."""
    return [Choice(text, is_for_customers=is_for_customers) for text, is_for_customers in _plain(REASONS)]


def default_checks() -> list[Choice]:
    """The checklist of an organization that has set up none."""
    return [Choice(text) for text, _also in _plain(CHECKS)]


def in_words(text: str) -> str:
    """A reason in the reader's language, where it is one of the defaults; else as the organization wrote it."""
    return gettext(text) if text else ""


def reasons(organization: Any, *, for_customers: bool = False, archived: bool = False) -> list[Choice]:
    """The reasons in their order; those offered to customers alone, or the archived ones too, where asked for."""
    # unscoped: what an organization asks of its customers
    rows = ReturnReason.objects.filter(organization=organization).order_by("position", "pk")
    found = [Choice(r.name, r.pk, r.is_for_customers, r.archived_at is not None) for r in rows]
    found = found or default_reasons()
    return [r for r in found if (archived or not r.is_archived) and (r.is_for_customers or not for_customers)]


def checks(organization: Any, *, archived: bool = False) -> list[Choice]:
    """The checklist in its order, with the archived points too where asked for."""
    # unscoped: the caller's own organization
    rows = ReturnCheck.objects.filter(organization=organization).order_by("position", "pk")
    found = [Choice(r.text, r.pk, is_archived=r.archived_at is not None) for r in rows] or default_checks()
    return [check for check in found if archived or not check.is_archived]


def settings_of(organization: Any) -> ReturnSettings:
    """The organization's settings of returns, empty ones where it has set up none."""
    # unscoped: what an organization tells its customers
    found = ReturnSettings.objects.filter(organization=organization).first()
    return found or ReturnSettings(organization=organization)


def _plain(rows: list[tuple[Any, bool]]) -> list[tuple[str, bool]]:
    """In the console's language: what is kept says the same to everybody."""
    with override(settings.LANGUAGE_CODE):
        return [(str(text), flag) for text, flag in rows]
