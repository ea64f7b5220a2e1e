"""What a bulk action works on: the rows that were ticked, or all that match the list's filters."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from console.errors import Refused

# Above this many rows the work goes to the worker, with progress.
IN_REQUEST = 200
MOST = 200_000
# In a form the filters carry this, so that none of them is taken for a field of the form.
WHERE = "where_"


@dataclass(frozen=True)
class Selection:
    """The selected rows, in the order of their ids, and the pairs of name and value that say them again in a form."""

    rows: QuerySet
    pairs: list[tuple[str, str]]

    @property
    def ids(self) -> list[int]:
        """The ids of the rows. Raises Refused where there are more than `MOST`, and nothing is done to some of them."""
        ids = list(self.rows.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        if len(ids) > MOST:
            sentence = _("More than %(most)s are selected. Narrow the filters, and do it in parts.")
            raise Refused(
                "too_many", sentence % {"most": number_format(MOST, force_grouping=True)}, status=422
            )
        return ids


def selection(request: HttpRequest, rows: QuerySet, filters: Any) -> Selection:
    """Read the selection from the address or the form. Raises Refused where nothing is selected.

    `rows` are those that the actor may see: an id of another organization selects nothing.
    """
    data, prefix = (request.POST, WHERE) if request.method == "POST" else (request.GET, "")
    if data.get("all"):
        kept = [(k, v) for k in filters.base_filters for v in data.getlist(f"{prefix}{k}") if v]
        query = QueryDict(mutable=True)
        for name, value in kept:
            query.appendlist(name, value)
        filterset = filters(query, queryset=rows, request=request)
        if not filterset.is_valid():
            raise Refused(
                "filter", _("A filter of the list makes no sense any more. Select anew."), status=422
            )
        return Selection(filterset.qs, [("all", "1"), *((f"{WHERE}{name}", value) for name, value in kept)])
    ids = [
        int(text)
        for part in data.getlist("ids")
        for text in part.split(",")
        if text.isdecimal() and len(text) < 19
    ]
    if not ids:
        raise Refused("nothing_selected", _("Nothing is selected. Tick rows in the list first."), status=422)
    return Selection(rows.filter(pk__in=ids), [("ids", ",".join(map(str, ids)))])
