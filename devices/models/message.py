import json
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from console.access import Actor
from console.constraints import InOrder
from console.tenancy import TenantModel, TenantQuerySet
from customers.models import Project, ProjectMember
from devices import horizon
from devices.models.device import Device
from devices.models.ownership import NEVER, Ownership, SharedAccess, Span, SpanQuerySet


class Json(str):
    """Text that is JSON already: a JsonText column takes it as it is."""

    __slots__ = ()


class JsonText(models.TextField):
    """Any JSON value, kept as its text: what was sent comes back, on every database, with its order and its numbers."""

    def from_db_value(self, value: str | None, *_rest: Any) -> Any:
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Json) or (value is None and self.null):
            return value
        return json.dumps(value, separators=(",", ":"), allow_nan=False)


class MessageQuerySet(TenantQuerySet):
    def visible_to(self, actor: Actor, *, device: Device | None = None, up_to: int | None = None) -> Self:
        """The messages that this actor may read: a member all, a customer's person those of its own spans.

        A message at the instant of a handover belongs to the new owner alone. With `device`, only the messages of this
        one: the same rows, as ranges of the index. With `up_to`, those up to what `horizon.settled` gave before.
        """
        rows = self if device is None else self.filter(device=device)
        if up_to is not None:
            rows = rows.filter(pk__lte=up_to)
        if actor.kind != "customer":
            return super(MessageQuerySet, rows).visible_to(actor)
        rows = rows.before_handovers(actor) if up_to is None else rows
        return rows.held_by(actor) if device is None else rows.within(spans_of(actor, device))

    def for_customer(self, actor: Actor) -> Self:
        """What was published within the spans of the person's customers, and of the projects while they were a member."""
        return self.before_handovers(actor).held_by(actor)

    def held_by(self, actor: Actor) -> Self:
        """The same as the ledger stands at this moment: for devices of which it is known that they change no hands."""
        at = OuterRef(OuterRef("at"))
        owned, shared = (_covering(spans.objects.reached_by(actor, at)) for spans in (Ownership, SharedAccess))
        return self.filter(Exists(owned) | Exists(shared))

    def before_handovers(self, actor: Actor) -> Self:
        """What came before any change of hands that is under way, or begins after this was asked.

        So it stays true however late, and however slowly, the rows are read.
        """
        last = horizon.up_to(actor)
        return self if last is None else self.filter(pk__lte=last)

    def within(self, spans: Iterable[Span]) -> Self:
        """The messages of these spans' devices, from each span's start on and before its end.

        The end is asked of the ledger by the statement that reads the messages, and so by each that writes a piece of
        a file: a device may change hands after the spans were read.
        """
        wanted = Q()
        for span in spans:
            of_span = Q(device=span.device_id, at__gte=span.started_at, at__lt=_end_now(span))
            wanted |= of_span & Q(at__gte=_start_now(span.member)) if span.member else of_span
        return self.filter(wanted) if wanted else self.none()

    def lying_in(self, actor: Actor, **where: Any) -> Self:
        """Of devices that a customer or a project held when they published, as the ledger says now: owned or shared.

        By the spans that the actor sees: by others, whoever shares a device could find out whose it is.
        """
        owned, shared = (
            _covering(spans.objects.visible_to(actor).filter(**where)) for spans in (Ownership, SharedAccess)
        )
        return self.filter(Exists(owned) | Exists(shared))

    def of_project(self, project: Project) -> Self:
        """Of the devices that lay in the project when they published: owned or, where it has any, shared.

        Two ranges of indexes, each cut by what else is asked for: its own messages, and those of the shared devices.
        """
        shares = SharedAccess.objects.filter(project=project)
        if not shares.exists():
            return self.filter(project=project)
        first = Subquery(shares.order_by("started_at").values("started_at")[:1])
        devices = _AnyOf("device", Subquery(shares.values("device")))
        return self.filter(Q(project=project) | (Q(devices, at__gte=first) & Q(Exists(_covering(shares)))))


def spans_of(actor: Actor, device: Device) -> list[Span]:
    """The spans in which the person reaches the device, owned and shared.

    `member` is the membership by which they see a span that is of none of their customers.
    """
    found: list[Span] = []
    for spans in (Ownership, SharedAccess):
        found += spans.objects.reached_by(actor).filter(device=device)
    members = {row.project_id: row for row in ProjectMember.objects.of(actor)} if actor.projects else {}
    for span in found:
        span.member = None if span.customer_id in actor.customers else members.get(span.project_id)
    # A membership that ended since the spans were read shows nothing.
    return [span for span in found if span.member or span.customer_id in actor.customers]


class _AnyOf(models.Func):
    """Whether a column is one of a subquery's values. Beside an OR, PostgreSQL takes an index for arrays alone."""

    template, arg_joiner = "%(expressions)s", " IN "
    output_field = models.BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s)", arg_joiner=" = ANY(ARRAY", **context)


def _end_now(span: Span) -> Subquery:
    """The end of the span at the moment of the statement; nothing, before which nothing lies, where it is gone."""
    end = Coalesce("ended_at", NEVER, output_field=models.DateTimeField())
    return Subquery(type(span)._default_manager.filter(pk=span.pk).values(end=end))


def _start_now(member: ProjectMember) -> Subquery:
    """The start of the membership; nothing, after which nothing lies, where it has ended at the moment of the statement."""
    return Subquery(ProjectMember.objects.open().filter(pk=member.pk).values("started_at"))


def _covering(spans: SpanQuerySet) -> SpanQuerySet:
    return spans.covering(OuterRef("at")).filter(device=OuterRef("device"))


class Message(TenantModel):
    """What a device published.

    `at` is the server's time and decides who may read it; `device_at` is what the device says, and decides nothing.
    `project` is where the unit lay by the ledger, a copy by which the messages of a project are a range of an index.
    """

    organization = models.ForeignKey("console.Organization", models.PROTECT, related_name="+", db_index=False)
    device = models.ForeignKey(Device, models.PROTECT, related_name="messages", db_index=False)
    project = models.ForeignKey("customers.Project", models.PROTECT, null=True, related_name="+", db_index=False)
    name = models.CharField(max_length=64)
    data = JsonText()
    at = models.DateTimeField()
    device_at = models.DateTimeField(null=True)

    objects: ClassVar = MessageQuerySet.as_manager()

    class Meta:
        constraints = [InOrder(name="message_in_order")]
        # One index for each list, with and without a name; the id settles what was published at one instant.
        indexes = [
            models.Index(fields=["device", "at", "id"], name="message_by_device"),
            models.Index(fields=["device", "name", "at", "id"], name="message_by_device_name"),
            models.Index(fields=["project", "at", "id"], name="message_by_project", condition=Q(project__isnull=False)),
            models.Index(
                fields=["project", "name", "at", "id"],
                name="message_by_project_name",
                condition=Q(project__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        """The data as JSON, readable."""
        return json.dumps(self.data, ensure_ascii=False, separators=(", ", ": "))

    @property
    def short(self) -> str:
        """The beginning of the data, for a row of a list."""
        text = self.text
        return text if len(text) <= 120 else f"{text[:119]}…"


class DeviceReportQuerySet(TenantQuerySet):
    def for_customer(self, actor: Actor) -> Self:
        """What devices said within the ownerships that the person's customers have now: what came before is another's."""
        owned = Ownership.objects.open().reached_by(actor).covering(OuterRef("reported_at"))
        return self.filter(Exists(owned.filter(device=OuterRef("device"))))


class DeviceReport(TenantModel):
    """What a device said last about itself. Other columns of the device are its maker's word, these are its own."""

    device = models.OneToOneField(Device, models.PROTECT, primary_key=True, related_name="report")
    firmware_version = models.CharField(max_length=64, blank=True)
    reported_at = models.DateTimeField()

    objects: ClassVar = DeviceReportQuerySet.as_manager()

    def __str__(self) -> str:
        return self.firmware_version
