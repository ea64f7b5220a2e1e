"""The first page of the console."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from console import first_steps
from console.access import Permission, requires


@requires(Permission.VIEW)
def home(request: HttpRequest) -> HttpResponse:
    """What is in stock, owned and claimed; what to do next where there is nothing yet."""
    return render(request, "console/home.html", {"steps": first_steps.of(request.actor)})
