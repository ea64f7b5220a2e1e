"""The search for everything, from the top bar."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.access import Permission, requires
from console.requests import Request
from console.search import beyond, clean, find_all, only

SHORT, LONG = 5, 20


@requires(Permission.VIEW)
def search(request: Request) -> HttpResponse:
    """The best hits below the field while one types; on Enter the one that was meant, or a page of all.

    A scanner types a serial number and Enter: it opens the unit.
    """
    text = clean(request.GET.get("q", ""))
    is_partial = request.htmx and request.htmx.target == "search-results"
    hits = find_all(request.actor, text, SHORT if is_partial else LONG)
    context = {"text": text, "hits": hits, "beyond": beyond(hits, LONG), "most": LONG}
    if is_partial:
        return render(request, "console/_search_results.html", context)
    hit = None if "all" in request.GET else only(hits)
    return redirect(hit.url) if hit else render(request, "console/search.html", context)
