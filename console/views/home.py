"""The first page of the console."""

from django.http import HttpResponse
from django.shortcuts import render

from console import first_steps
from console.access import Permission
from console.policies import requires
from console.requests import Request


@requires(Permission.VIEW)
def home(request: Request) -> HttpResponse:
    """Show what is in stock, owned and claimed, or the first steps while there is nothing yet."""
    steps = first_steps.of(request.actor)
    upcoming = [step.title for step, is_done in steps if not is_done]
    # Before the first step is done, no panel has anything to show.
    context = {
        "steps": steps,
        "next": upcoming[0] if upcoming else "",
        "has_begun": not steps or len(upcoming) < len(steps),
    }
    return render(request, "console/home.html", context)
