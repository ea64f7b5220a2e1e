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
    """Text that is JSON already. A JsonText column stores it unchanged."""

    __slots__ = ()


class JsonText(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """Any JSON value, stored as its text. Order and numbers come back as they were sent, on every database."""

    def from_db_value(self, value: str | None, *_rest: Any) -> Any:
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Json) or (value is None and self.null):
            return value
        return json.dumps(value, separators=(",", ":"), allow_nan=False)


class MessageQuerySet(TenantQuerySet["Message"]):
    def visible_to(self, actor: Actor, *, device: Device | None = None, up_to: int | None = None) -> Self:
        """Return the messages that this actor may read: members read all, customers those of their own spans.

        A message at the instant of a handover belongs to the new owner alone. With `device`, returns only messages of
        this device: the same rows, read as ranges of the index. With `up_to`, returns only those up to an id that
        `horizon.settled` returned before.
        """
        rows = self if device is None else self.filter(device=device)
        if up_to is not None:
            rows = rows.filter(pk__lte=up_to)
        if actor.kind != "customer":
            return super(MessageQuerySet, rows).visible_to(actor)
        rows = rows.before_handovers(actor) if up_to is None else rows
        return rows.held_by(actor) if device is None else rows.within(spans_of(actor, device))

    def for_customer(self, actor: Actor) -> Self:
        """Return messages from spans of the user's customers, and of projects while the user was a member."""
        return self.before_handovers(actor).held_by(actor)

    def held_by(self, actor: Actor) -> Self:
        """The same by the ledger alone, as it is now. Only for devices that don't change owner meanwhile."""
        at = OuterRef(OuterRef("at"))
        owned, shared = (_covering(spans.objects.reached_by(actor, at)) for spans in (Ownership, SharedAccess))
        return self.filter(Exists(owned) | Exists(shared))

    def before_handovers(self, actor: Actor) -> Self:
        """Exclude messages after any change of ownership that is under way or begins later than this call.

        So the result stays correct however late and however slowly the rows are read.
        """
        last = horizon.up_to(actor)
        return self if last is None else self.filter(pk__lte=last)

    def within(self, spans: Iterable[Span]) -> Self:
        """Return the messages of these spans' devices, from each span's start on and before its end.

        The end is read from the ledger by the same statement that reads the messages, and so for each chunk of a file:
        a device may change owner after the spans were read.
        """
        wanted = Q()
        for span in spans:
            of_span = Q(device=span.device_id, at__gte=span.started_at, at__lt=_end_now(span))
            wanted |= of_span & Q(at__gte=_start_now(span.member)) if span.member else of_span
        return self.filter(wanted) if wanted else self.none()

    def lying_in(self, actor: Actor, **where: Any) -> Self:
        """Return messages of devices that a customer or project owned or shared when they published, by the ledger now.

        Uses only spans that the actor may see. With others, anybody with whom a device is shared could find out its
        owner.
        """
        owned, shared = (
            _covering(spans.objects.visible_to(actor).filter(**where)) for spans in (Ownership, SharedAccess)
        )
        return self.filter(Exists(owned) | Exists(shared))

    def of_project(self, project: Project) -> Self:
        """Return messages of devices that lay in the project when they published: owned or, if it has any, shared.

        Reads two ranges of indexes, each narrowed by the other conditions: its own messages, and those of the shared
        devices.
        """
        shares = SharedAccess.objects.filter(project=project)
        if not shares.exists():
            return self.filter(project=project)
        first = Subquery(shares.order_by("started_at").values("started_at")[:1])
        devices = _AnyOf("device", Subquery(shares.values("device")))
        return self.filter(Q(project=project) | (Q(devices, at__gte=first) & Q(Exists(_covering(shares)))))


def spans_of(actor: Actor, device: Device) -> list[Span]:
    """Return the spans in which the user may see the device, owned and shared.

    `member` is the membership by which the user sees a span that belongs to none of their customers.
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
    """Whether a column is one of a subquery's values. Beside an OR, PostgreSQL uses an index only for arrays."""

    template, arg_joiner = "%(expressions)s", " IN "
    output_field = models.BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s)", arg_joiner=" = ANY(ARRAY", **context)


def _end_now(span: Span) -> Subquery:
    """Return the span's end when the statement runs. If the span is gone, the end is null and no message matches."""
    end = Coalesce("ended_at", NEVER, output_field=models.DateTimeField())
    return Subquery(type(span)._default_manager.filter(pk=span.pk).values(end=end))


def _start_now(member: ProjectMember) -> Subquery:
    """Return the membership's start when the statement runs. If it has ended, that is null and no message matches."""
    return Subquery(ProjectMember.objects.open().filter(pk=member.pk).values("started_at"))


def _covering(spans: SpanQuerySet[Any]) -> SpanQuerySet[Any]:
    return spans.covering(OuterRef("at")).filter(device=OuterRef("device"))


class Message(TenantModel):
    """A message that a device published.

    `at` is the server's time and decides who may read the message. `device_at` is the device's own time and decides
    nothing. `project` is where the device lay according to the ledger: a copy, so that the messages of a project are a
    range of an index.
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
        # One index for each list, with and without a name. The id orders messages of the same instant.
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
        """Return the data as readable JSON."""
        return json.dumps(self.data, ensure_ascii=False, separators=(", ", ": "))

    @property
    def short(self) -> str:
        """Return the beginning of the data, for a row of a list."""
        text = self.text
        return text if len(text) <= 120 else f"{text[:119]}…"


class DeviceReportQuerySet(TenantQuerySet["DeviceReport"]):
    def for_customer(self, actor: Actor) -> Self:
        """Return reports made within the current ownerships of the user's customers. Earlier ones belong to others."""
        owned = Ownership.objects.open().reached_by(actor).covering(OuterRef("reported_at"))
        return self.filter(Exists(owned.filter(device=OuterRef("device"))))


class DeviceReport(TenantModel):
    """What a device last reported about itself. Other columns of the device come from its maker."""

    device = models.OneToOneField(Device, models.PROTECT, primary_key=True, related_name="report")
    firmware_version = models.CharField(max_length=64, blank=True)
    reported_at = models.DateTimeField()

    objects: ClassVar = DeviceReportQuerySet.as_manager()

    def __str__(self) -> str:
        return self.firmware_version
