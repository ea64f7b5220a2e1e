"""The first page of the console."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from console import first_steps
from console.access import Permission, requires


@requires(Permission.VIEW)
def home(request: HttpRequest) -> HttpResponse:
    """What is in stock, owned and claimed; what to do next where there is nothing yet."""
    steps = first_steps.of(request.actor)
    upcoming = [step.title for step, is_done in steps if not is_done]
    # Before the first step is done there is nothing that a panel could show.
    context = {
        "steps": steps,
        "next": upcoming[0] if upcoming else "",
        "has_begun": len(upcoming) < len(first_steps.STEPS),
    }
    return render(request, "console/home.html", context)
