"""A refusal is a sentence with a code, raised by an action and answered in one place."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


class Refused(Exception):
    """An operation that the rules do not allow.

    `code` is stable and for programs (`already_owned`), `sentence` is for people and says what to do next.
    `status` is the HTTP status of the answer.
    """

    def __init__(self, code: str, sentence: str, *, status: int = 409) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.status = code, str(sentence), status


def answer(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """The refusal as a problem document (RFC 9457) for programs, else as a page or, to htmx, as a notice."""
    if "application/json" in request.headers.get("Accept", ""):
        body = {
            "type": "about:blank",
            "title": refusal.sentence,
            "status": refusal.status,
            "code": refusal.code,
        }
        return JsonResponse(body, status=refusal.status, content_type="application/problem+json")
    # Customers' pages name their own page: it has another frame.
    page = getattr(request, "refused_template", "console/refused.html")
    template = "console/_refused.html" if getattr(request, "htmx", False) else page
    response = render(request, template, {"refusal": refusal}, status=refusal.status)
    if getattr(request, "htmx", False):
        response["HX-Retarget"], response["HX-Reswap"] = "#notices", "innerHTML"
    return response
