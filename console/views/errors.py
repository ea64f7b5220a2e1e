"""The pages for errors."""

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.translation import gettext as _

from console.access import Permission
from console.errors import Refused, answer, problem
from console.people import errands, rosters
from console.policies import handler
from console.requests import Request
from console.server import outage

PROGRAMS = ("/api/", "/device/")
# Customers' pages, which show the brand for which they were created.
CUSTOMERS = ("/c/", "/portal/", "/account/login/code/", "/account/code/", "/account/link/")


@handler
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400: the server does not understand the request."""
    if request.path_info.startswith(PROGRAMS):
        return problem("malformed", "The server doesn't understand this request.", 400)
    return render(request, "400.html", status=400)


@handler
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403 with the right that is missing, and who can grant it."""
    right = next((each for each in getattr(exception, "args", ()) if isinstance(each, Permission)), None)
    if getattr(request, "htmx", False):
        return answer(request, Refused("forbidden", _("Your role does not allow this."), status=403))
    actor = getattr(request, "actor", None)
    helpers = rosters.helpers(actor) if actor and actor.kind == "member" else []
    return render(request, "403.html", {"right": right, "helpers": helpers}, status=403)


@handler
def not_found_page(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404: nothing is here, or nothing that this person may see. The page does not reveal which."""
    if request.path_info.startswith(PROGRAMS):
        return problem("not_found", "There is nothing at this address.", 404)
    return render(request, "404.html", status=404)


@handler
def server_error(request: HttpRequest) -> HttpResponse:
    """Answer with a page that needs neither the database nor the session; for programs with a problem document.

    The status is 503 if the database is away, read-only or full: then the request can be repeated later, and is not at
    fault.
    """
    if outage.is_outage(sys.exc_info()[1]):
        sentence = "Custody can't reach or write its database. Nothing was changed. Try again in a minute."
        response = _without_database(request, 503, "unavailable", sentence)
        response["Retry-After"] = outage.RETRY_AFTER
        return response
    sentence = "Something went wrong on our side. Try again in a minute."
    return _without_database(request, 500, "server_error", sentence)


def _without_database(request: HttpRequest, status: int, code: str, sentence: str) -> HttpResponse:
    if request.path_info.startswith(PROGRAMS) or "application/json" in request.headers.get("Accept", ""):
        return problem(code, sentence, status)
    try:
        return HttpResponse(get_template(f"{status}.html").render(), status=status)
    except (TemplateDoesNotExist, ValueError):
        # No static files were collected, so the address of the stylesheet is not known.
        return HttpResponse(sentence, "text/plain", status=status)


@handler
def csrf_failure(request: Request, reason: str = "") -> HttpResponse:
    """Answer that the form was too old, or came from elsewhere, and that nothing was changed."""
    if getattr(request, "htmx", False):
        return answer(
            request, Refused("stale", _("Your session has expired. Reload the page and try again."), status=403)
        )
    if not request.path.lower().startswith(CUSTOMERS):
        return render(request, "403_csrf.html", status=403)
    template, context = errands.expired(request)
    return render(request, template, context, status=403)


@handler
def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer that a limit of the sign-in library was exceeded."""
    return render(request, "429.html", status=429)
