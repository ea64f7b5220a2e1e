"""The global search in the top bar."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.access import Permission
from console.policies import requires
from console.requests import Request
from console.search import beyond, clean, find_all, only

SHORT, LONG = 5, 20


@requires(Permission.VIEW)
def search(request: Request) -> HttpResponse:
    """Show the best results below the field while the person types. Enter opens the one that was meant, or all results.

    A scanner types a serial number and Enter, which opens the device.
    """
    text = clean(request.GET.get("q", ""))
    is_partial = request.htmx and request.htmx.target == "search-results"
    hits = find_all(request.actor, text, SHORT if is_partial else LONG)
    context = {"text": text, "hits": hits, "beyond": beyond(hits, LONG), "most": LONG}
    if is_partial:
        return render(request, "console/_search_results.html", context)
    hit = None if "all" in request.GET else only(hits)
    return redirect(hit.url) if hit else render(request, "console/search.html", context)
