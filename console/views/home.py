"""The first page of the console."""

from django.http import HttpResponse
from django.shortcuts import render

from console import first_steps
from console.access import Permission, requires
from console.requests import Request


@requires(Permission.VIEW)
def home(request: Request) -> HttpResponse:
    """What is in stock, owned and claimed; what to do next where there is nothing yet."""
    steps = first_steps.of(request.actor)
    upcoming = [step.title for step, is_done in steps if not is_done]
    # Before the first step is done there is nothing that a panel could show.
    context = {
        "steps": steps,
        "next": upcoming[0] if upcoming else "",
        "has_begun": not steps or len(upcoming) < len(steps),
    }
    return render(request, "console/home.html", context)
