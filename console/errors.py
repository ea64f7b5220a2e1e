"""Refusals: a sentence with a code, raised by an action and answered in one place."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.functional import Promise


class Refused(Exception):
    """An operation that the rules do not allow.

    `code` is stable and for programs (`already_owned`), `sentence` is for people and says what to do next. `status` is
    the HTTP status of the answer, and `headers` are sent with it; `facts` are further data for programs, such as an id.
    """

    def __init__(
        self,
        code: str,
        sentence: str | Promise,
        *,
        status: int = 409,
        headers: dict[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.status = code, str(sentence), status
        self.headers, self.facts = headers or {}, facts


def problem(
    code: str, sentence: str | Promise, status: int, *, headers: dict[str, str] | None = None, **more: Any
) -> JsonResponse:
    """Return a problem document (RFC 9457): `code` is the machine-readable form of the sentence in `title`."""
    body = {"type": "about:blank", "title": str(sentence), "status": status, "code": code, **more}
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)


def answer(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """Return the refusal as a problem document (RFC 9457) for programs, else as a page or, for htmx, as a notice."""
    if "application/json" in request.headers.get("Accept", ""):
        return problem(refusal.code, refusal.sentence, refusal.status, headers=refusal.headers, **refusal.facts)
    # Customers' pages name a template of their own, which has another frame.
    page = getattr(request, "refused_template", "console/refused.html")
    template = "console/_refused.html" if getattr(request, "htmx", False) else page
    response = render(request, template, {"refusal": refusal}, status=refusal.status)
    for name, value in refusal.headers.items():
        response[name] = value
    if getattr(request, "htmx", False):
        response["HX-Retarget"], response["HX-Reswap"] = "#notices", "innerHTML"
    return response
