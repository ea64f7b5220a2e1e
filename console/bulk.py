"""The rows that a bulk action works on: those that were ticked, or all that match the list's filters."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console import undo, way_back
from console.errors import Refused
from console.models import Operation
from console.numbers import ids_of, whole
from console.requests import Request

MOST = 200_000
# Prefix of the filters in a form, so that none of them is mistaken for a field of the form.
WHERE = "where_"
SELECTED = "selected"
# How many refusals are shown individually.
SAID = 10


class SelectionChanged(Refused):
    """Somebody changed the matching rows, or one of the selected rows, since the page described what would happen."""


@dataclass(frozen=True)
class Selection:
    """The selected rows in the order of their ids, and the name and value pairs that repeat the selection in a form.

    A page describes what would happen to the rows that it found, and its form carries a digest of them (`seen` when it
    comes back): of their ids and of the field `mark`, which decides what happens to each. `is_fixed` is true if the
    rows are named by ids. `back` is the list in which they were selected, as the reader left it; empty if they were not
    selected in a list.
    """

    rows: QuerySet[Any]
    said: list[tuple[str, str]]
    seen: str = ""
    mark: str = ""
    is_fixed: bool = False
    back: str = ""

    @cached_property
    def found(self) -> list[tuple[Any, ...]]:
        """Return the id of each row and the value of its `mark` field, up to one more than `MOST`."""
        names = ["pk", self.mark] if self.mark else ["pk"]
        return list(self.rows.order_by("pk").values_list(*names)[: MOST + 1])

    @cached_property
    def by_mark(self) -> dict[str, int]:
        """Return how many rows have each value of the `mark` field."""
        if len(self.found) <= MOST:
            return dict(Counter(mark for _pk, mark in self.found))
        return dict(self.rows.order_by().values_list(self.mark).annotate(n=Count("pk")))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the name and value pairs that a form sends back."""
        back = [(way_back.NEXT, self.back)] if self.back else []
        return [*self.said, *back, (SELECTED, f"{len(self.found)}:{self._digest}")]

    @property
    def ids(self) -> list[int]:
        """Return the ids of the rows, which are the ones that the page showed.

        Raises Refused if there are more than `MOST`, because nothing is done to only some of them, and SelectionChanged
        if they are no longer the same rows.
        """
        if len(self.found) > MOST:
            sentence = _("More than %(most)s are selected. Narrow the filters and do it in parts.")
            raise Refused("too_many", sentence % {"most": number_format(MOST, force_grouping=True)}, status=422)
        count, _colon, digest = self.seen.partition(":")
        if digest != self._digest and not (self.is_fixed and not self.seen):
            raise SelectionChanged("selection_changed", self._difference(count))
        return [row[0] for row in self.found]

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(repr(self.found).encode()).hexdigest()[:32]

    def _difference(self, count: str) -> str:
        now, before = len(self.found), whole(count)
        words = {
            "now": number_format(now, force_grouping=True),
            "n": abs(now - (before or 0)),
            "before": number_format(before or 0, force_grouping=True),
        }
        if before is None:
            return _("Check what is selected, then confirm.")
        if now > before:
            said = ngettext(
                "%(n)d more matches now: %(now)s instead of %(before)s.",
                "%(n)d more match now: %(now)s instead of %(before)s.",
                now - before,
            )
        elif now < before:
            said = ngettext(
                "%(n)d fewer matches now: %(now)s instead of %(before)s.",
                "%(n)d fewer match now: %(now)s instead of %(before)s.",
                before - now,
            )
        else:
            said = _("Someone else changed some of them in the meantime.")
        return f"{said % words} {_('Nothing has been done yet. Check the new preview, then confirm.')}"


def selection(request: HttpRequest, rows: QuerySet[Any], filters: Any, *, mark: str = "") -> Selection:
    """Read the selection from the address or the form. Raises Refused if nothing is selected.

    `rows` are those that the actor may see: an id of another organization selects nothing. `mark` is the field that
    decides whether the action is possible for a row.
    """
    seen, back = seen_of(request), way_back.given(request)
    data, prefix = (request.POST, WHERE) if request.method == "POST" else (request.GET, "")
    if data.get("all"):
        kept = [(k, v) for k in filters.base_filters for v in data.getlist(f"{prefix}{k}") if v]
        query = QueryDict(mutable=True)
        for name, value in kept:
            query.appendlist(name, value)
        filterset = filters(query, queryset=rows, request=request)
        if not filterset.is_valid():
            raise Refused("filter", _("A filter of the list is no longer valid. Select the devices again."), status=422)
        said = [("all", "1"), *((f"{WHERE}{name}", value) for name, value in kept)]
        return Selection(filterset.qs, said, seen, mark, back=back)
    ids = ids_of(data.getlist("ids"))
    if not ids:
        raise Refused("nothing_selected", _("Nothing is selected. Select rows in the list first."), status=422)
    said = [("ids", ",".join(map(str, ids)))]
    return Selection(rows.filter(pk__in=ids), said, seen, mark, is_fixed=True, back=back)


def seen_of(request: HttpRequest) -> str:
    """Return the digest of the rows that the page showed, as its form sends it back."""
    return request.POST.get(SELECTED, "")[:60]


def answer(request: Request, chosen: Selection, operation: Operation, done: str = "", *, detail: str) -> HttpResponse:
    """Report what was done (by default in the operation's words) and refused, and redirect to where rows were selected.

    That is the list or, for one row, its page at the route `detail`. An operation in the background is followed.
    """
    if not operation.is_over:
        return redirect(operation)
    if operation.succeeded:
        said = done or operation.sentence
        messages.success(request, undo.with_link(operation, said) if operation.is_undoable() else said)
    tell_refused(request, operation)
    if len(chosen.ids) == 1 and not chosen.back:
        return redirect(detail, chosen.ids[0])
    return redirect(operation.return_url)


def tell_refused(request: HttpRequest, operation: Operation) -> None:
    """Show why rows of a finished operation were refused: the first ones by name, the rest as a number."""
    rows = operation.rows.order_by("position").values_list("label", "sentence")
    for label, sentence in rows[:SAID]:
        messages.error(request, f"{label}: {sentence}")
    if operation.refused > SAID:
        more = operation.refused - SAID
        messages.error(
            request, ngettext("%(n)d more was left unchanged.", "%(n)d more were left unchanged.", more) % {"n": more}
        )
