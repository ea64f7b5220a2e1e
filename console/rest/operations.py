"""Operations over REST: their progress, and the result of each row in the order of the call."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from console.access import Permission
from console.errors import Refused
from console.export import stream_csv
from console.models import Operation
from console.models.operation import OperationState
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Whole
from console.rest.paging import PageQuery, page
from console.undo import DECLARED

TAG = "operations"

MOST_RESULTS = 1_000


class OperationOut(serializers.ModelSerializer):
    """A long-running or bulk operation, with its progress and its result."""

    state = serializers.ChoiceField(choices=OperationState.choices)
    done = serializers.BooleanField(
        source="is_over", help_text="Whether the operation has ended; it will no longer change."
    )
    progress = serializers.IntegerField(source="percent", help_text="The progress, from 0 to 100.")
    counts = serializers.SerializerMethodField()
    is_dry_run = serializers.SerializerMethodField()

    class Meta:
        model = Operation
        fields = [
            "id",
            "title",
            "state",
            "done",
            "progress",
            "counts",
            "is_dry_run",
            "sentence",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_counts(self, operation: Operation) -> dict[str, int]:
        """The numbers of rows: total, succeeded and refused."""
        return {"total": operation.total, "succeeded": operation.succeeded, "refused": operation.refused}

    def get_is_dry_run(self, operation: Operation) -> bool:
        """Whether the operation was a trial run that changed nothing."""
        return bool(operation.is_dry if hasattr(operation, "is_dry") else operation.payload.get("is_dry"))


class ResultOut(serializers.Serializer):
    """The result of one row. `code` is `ok` or the reason why the row was refused."""

    position = serializers.IntegerField(help_text="The position in the call, starting at 1.")
    name = serializers.CharField(help_text="The name as it was sent.")
    code = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


class ResultsOut(serializers.Serializer):
    """A page of results. To get the next page, send `next` as its `after`."""

    results = ResultOut(many=True)
    next = serializers.IntegerField(allow_null=True)


class ResultsQuery(Body):
    """Which of the results to return."""

    after = Whole(
        min_value=0, max_value=2**31, default=0, in_query=True, help_text="The position of the last result seen."
    )
    limit = Whole(min_value=1, max_value=MOST_RESULTS, default=MOST_RESULTS, in_query=True)


@endpoint("List operations", may=Permission.VIEW, answers=OperationOut, query=PageQuery, is_list=True)
def operation_list(request: Any) -> Any:
    """Returns the operations that your key may see, newest first."""
    return page(request.query, _told(request), OperationOut)


@endpoint("See an operation", may=Permission.VIEW, answers=OperationOut)
def operation_detail(request: Any, pk: int) -> Any:
    """Returns the state and progress of one operation. Repeat the call until `done` is true."""
    return get_object_or_404(_told(request), pk=pk)


@endpoint("Undo an operation", may=Permission.VIEW, answers=OperationOut, status=202)
def operation_undo(request: Any, pk: int) -> Any:
    """Undoes an operation and returns the operation that does so.

    An operation can be undone once, within 15 minutes of its end, with the scope that was needed to start it.
    """
    operation = get_object_or_404(Operation.objects.visible_to(request.actor), pk=pk)
    if not request.actor.may(Permission(operation.permission)):
        raise Refused("not_allowed", _("This key isn't allowed to do that."), status=403)
    undo = DECLARED.get(operation.undo_route)
    if undo is None:
        raise Refused("nothing_to_undo", _("This operation can't be undone."))
    return undo.begin(operation, by=request.actor)


@endpoint("List the results of an operation", may=Permission.VIEW, query=ResultsQuery, answers=ResultsOut)
def operation_results(request: Any, pk: int) -> Any:
    """Returns one result for each row processed so far, in the order of the call.

    This applies to batches; other operations return their refused rows only. Results are kept for 30 days.
    """
    operation = get_object_or_404(Operation.objects.visible_to(request.actor), pk=pk)
    after, limit = request.query["after"], request.query["limit"]
    found = list(results(operation, after, after + limit))
    more = bool(found) and found[-1]["position"] < operation.cursor
    return Response({"results": found, "next": found[-1]["position"] if more else None})


@endpoint("Download the results of an operation", may=Permission.VIEW, media=["text/csv"])
def operation_results_csv(request: Any, pk: int) -> HttpResponseBase:
    """Returns all results of the operation as a CSV file."""
    operation = get_object_or_404(Operation.objects.visible_to(request.actor), pk=pk)
    rows = ([r["position"], r["name"], r["code"], r["detail"]] for r in results(operation, 0, operation.cursor))
    return stream_csv(f"operation-{operation.pk}", ["position", "name", "code", "detail"], rows)


def _told(request: Any) -> QuerySet[Operation]:
    """Return the operations that the key may see, without their payloads: a batch contains up to 100,000 names."""
    rows = Operation.objects.visible_to(request.actor)
    return rows.defer("payload").annotate(is_dry=F("payload__is_dry"))


def results(operation: Operation, after: int, until: int) -> Iterator[dict[str, Any]]:
    """Yield the results of the positions after `after`, up to and including `until`.

    An operation without names yields its refused rows only.
    """
    rows = operation.rows.filter(position__gt=after, position__lte=until).order_by("position")
    refused = {row.position: row for row in rows.iterator(chunk_size=2_000)}
    names = operation.payload.get("names")
    if names is None:
        for row in refused.values():
            yield {"position": row.position, "name": row.label, "code": row.code, "detail": row.sentence}
        return
    for position in range(after + 1, min(until, operation.cursor, len(names)) + 1):
        found = refused.get(position)
        yield {
            "position": position,
            "name": str(names[position - 1]),
            "code": found.code if found else "ok",
            "detail": found.sentence if found else "",
        }
