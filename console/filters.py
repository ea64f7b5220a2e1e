"""Filters of the audit log and of the operations."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters.fields import ChoiceField

from console import moments
from console.audit import kinds, label_of, subjects
from console.events import SETTINGS
from console.fields import prefix
from console.models import Event, Member, Operation
from console.numbers import id_of

SYSTEM = "system"
# Up to this many things, or lines, are looked up separately.
FEW, MANY = 1_000, 10_000


def _day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


@dataclass(frozen=True)
class About:
    """A thing that events are about, as the subject or as the other party."""

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
        pk = id_of(number)
        if pk is None or not (kind.isascii() and kind.isalpha()):
            raise forms.ValidationError(_("This address names nothing."))
        return About(kind, pk, label_of(self.actor, kind, pk))


class AboutFilter(filters.Filter):
    field_class = AboutField


class PersonField(forms.ChoiceField):
    """Accepts a member, the system, or by their id anybody else who did something."""

    actor: Any = None

    def valid_value(self, value: str) -> bool:
        return super().valid_value(value) or id_of(value) is not None


class PersonFilter(filters.ChoiceFilter):
    field_class = PersonField


class KindField(ChoiceField):
    """A kind of event, by its name or by its name in an earlier release: saved links keep working."""

    def to_python(self, value: Any) -> str:
        return self.prepare_value(super().to_python(value))

    def prepare_value(self, value: Any) -> Any:
        known = kinds.find(value) if isinstance(value, str) else None
        return known.name if known else value


class KindFilter(filters.ChoiceFilter):
    field_class = KindField


class ActField(forms.Field):
    """The lines of one act, named by the id of its first line."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text:
            return None
        pk = id_of(text)
        if pk is None:
            raise forms.ValidationError(_("Choose an entry of the log."))
        return pk


class ActFilter(filters.Filter):
    field_class = ActField


class EventFilter(filters.FilterSet):
    """Filters by what happened, who did it, what it is about, and when.

    Each filter is a range of an index, whose rows are then sorted by time. If a filter matches very many rows, the log
    is read in order of time instead, because the first matches come soon.
    """

    q = filters.CharFilter(method="search", label=_("Serial, name or address"))
    act = ActFilter(method="of_act", label=_("One act"))
    about = AboutFilter(method="concerning", label=_("About"))
    kind = KindFilter(choices=kinds.choices, label=_("What"))
    subject = filters.ChoiceFilter(method="of_kind", choices=subjects.choices, label=_("Kind of thing"))
    who = PersonFilter(method="done_by", label=_("Who"), choices=())
    since = filters.DateFilter(method="from_day", label=_("From"), widget=_day_input())
    until = filters.DateFilter(method="up_to_day", label=_("To"), widget=_day_input())

    class Meta:
        model = Event
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.form.fields["about"].actor = self.request.actor
        members = Member.objects.visible_to(self.request.actor).select_related("user").order_by("user__name", "pk")
        self.form.fields["who"].choices = [
            ("", "---------"),
            (SYSTEM, _("The server itself")),
            *((str(m.user_id), str(m)) for m in members),
        ]

    def search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return events about things whose name begins with the text, and about people and domains of that name."""
        text = value.strip()[:64]
        things = _things_called(self.request.actor, text)
        first, *others = [rows for _kind, rows in things]
        if len(first.union(*others, all=True)[: FEW + 1]) > FEW:
            return queryset.filter(Q(subject_label__startswith=text) | Q(subject_label__startswith=text.upper()))
        found = [self._all().filter(subject_kind=kind, subject_id__in=rows).values("pk") for kind, rows in things]
        own = Event.objects.visible_to(self.request.actor).filter(kind__in=kinds.names_in(SETTINGS))
        called = own.filter(subject_label__istartswith=text).values("pk")
        return queryset.filter(pk__in=called.union(*found))

    def of_act(self, queryset: QuerySet[Any], name: str, value: int) -> QuerySet[Any]:
        """Return all lines that the line with this id represents in the list."""
        head = Event.objects.visible_to(self.request.actor).filter(pk=value).first()
        if head is None:
            return queryset.none()
        return (
            queryset.filter(pk=value)
            if head.act is None
            else queryset.filter(act=head.act, kind=head.kind, object_id=head.object_id)
        )

    @property
    def has_one_line_for_one_act(self) -> bool:
        """Whether the list may show heads only. If it is about certain things, each of their lines counts."""
        return not any(self.data.get(name) for name in ("q", "act", "about", "subject"))

    def concerning(self, queryset: QuerySet[Any], name: str, value: About) -> QuerySet[Any]:
        """Return events about one thing, as the subject or as the other party."""
        subjects = self._all().filter(subject_kind=value.kind, subject_id=value.pk).values("pk")
        objects = self._all().filter(object_kind=value.kind, object_id=value.pk).values("pk")
        return queryset.filter(pk__in=subjects.union(objects))

    def of_kind(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return events about one kind of thing."""
        rows = self._all().filter(subject_kind=value).order_by().values("pk")
        return queryset.filter(subject_kind=value) if len(rows[: MANY + 1]) > MANY else queryset.filter(pk__in=rows)

    def done_by(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return events that one person caused."""
        return queryset.filter(actor_id=None if value == SYSTEM else int(value))

    def from_day(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        """Return events from the beginning of a day on, in the organization's time zone."""
        return queryset.filter(at__gte=moments.begin(value, self.request.actor.organization))

    def up_to_day(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        """Return events up to the end of a day, in the organization's time zone."""
        return queryset.filter(at__lt=moments.end(value, self.request.actor.organization))

    def _all(self) -> QuerySet[Any]:
        """Return all lines, by an index that does not begin with the organization.

        Callers restrict them to the actor's.
        """
        return Event.objects.all()  # unscoped: used only inside a condition on lines that the actor may see


def _things_called(actor: Any, text: str) -> list[tuple[str, QuerySet[Any]]]:
    """Return, by kind, the ids of the things whose name begins with the text."""
    low, high = prefix(text)
    found = []
    for kind, key, rows in subjects.searched(actor):
        found.append((kind, rows.filter(**{f"{key}__gte": low, f"{key}__lt": high}).order_by().values("pk")))
    return found


class OwnFilter(filters.Filter):
    field_class = forms.BooleanField


class OperationFilter(filters.FilterSet):
    """Filters operations by who started them."""

    mine = OwnFilter(method="own", label=_("Only mine"))

    class Meta:
        model = Operation
        fields: list[str] = []

    def own(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Return the operations that the reader started."""
        return queryset.filter(by_user=self.request.actor.user_id) if value else queryset
