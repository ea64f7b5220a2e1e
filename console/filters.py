"""Which lines of the audit log a list shows."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console import sentences
from console.audit import label_of
from console.models import Event, Member

SYSTEM = "system"


@dataclass(frozen=True)
class About:
    """One thing that events are about: as the subject, or as the other party."""

    kind: str
    pk: int
    label: str

    def __str__(self) -> str:
        return self.label


class AboutField(forms.CharField):
    """Reads "device:17" from a link."""

    widget = forms.HiddenInput
    actor: Any = None

    def clean(self, value: Any) -> About | None:
        text = super().clean(value)
        if not text:
            return None
        kind, _sep, number = text.partition(":")
        if not (number.isascii() and number.isdigit() and len(number) < 19 and kind.isascii() and kind.isalpha()):
            raise forms.ValidationError(_("This address names nothing."))
        return About(kind, int(number), label_of(self.actor, kind, int(number)))


class AboutFilter(filters.Filter):
    field_class = AboutField


class PersonField(forms.ChoiceField):
    """A member, the system, or by its id anybody else who did something."""

    actor: Any = None

    def valid_value(self, value: str) -> bool:
        return super().valid_value(value) or (value.isascii() and value.isdigit() and len(value) < 19)


class PersonFilter(filters.ChoiceFilter):
    field_class = PersonField


class EventFilter(filters.FilterSet):
    """By what happened, who did it, what it is about, and when."""

    q = filters.CharFilter(method="search", label=_("Serial, name or address"))
    about = AboutFilter(method="concerning", label=_("About"))
    kind = filters.ChoiceFilter(choices=sentences.choices, label=_("What"))
    subject = filters.ChoiceFilter(field_name="subject_kind", choices=sentences.subject_kinds, label=_("Kind of thing"))
    who = PersonFilter(method="done_by", label=_("Who"), choices=())
    since = filters.DateFilter(
        method="from_day", label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = filters.DateFilter(
        method="to_day", label=_("To"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    class Meta:
        model = Event
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.form.fields["about"].actor = self.request.actor
        members = Member.objects.visible_to(self.request.actor).select_related("user").order_by("user__name", "pk")
        self.form.fields["who"].choices = [
            ("", "---------"), (SYSTEM, _("The server itself")), *((str(m.user_id), str(m)) for m in members)
        ]  # fmt: skip

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Those whose subject is called so, or begins so; a serial number may be typed in small letters."""
        text = value.strip()[:64]
        return queryset.filter(Q(subject_label__startswith=text) | Q(subject_label__startswith=text.upper()))

    def concerning(self, queryset: QuerySet, name: str, value: About) -> QuerySet:
        """Those about one thing."""
        return queryset.filter(
            Q(subject_kind=value.kind, subject_id=value.pk) | Q(object_kind=value.kind, object_id=value.pk)
        )

    def done_by(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Those that one person did."""
        return queryset.filter(actor_id=None if value == SYSTEM else int(value))

    def from_day(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        """Those from the beginning of a day on, where the reader is."""
        return queryset.filter(at__gte=_midnight(value))

    def to_day(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        """Those up to the end of a day, where the reader is."""
        return queryset.filter(at__lt=_midnight(value) + timedelta(days=1))


def _midnight(day: date) -> datetime:
    # The first and the last years have moments that no other time zone has.
    day = min(max(day, date(1900, 1, 1)), date(9990, 1, 1))
    return timezone.make_aware(datetime.combine(day, time.min))
