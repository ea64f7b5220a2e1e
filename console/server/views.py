"""Whether the server is alive and can work, for load balancers and monitoring."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from console.policies import public
from console.server import health


@public("Watched from outside, and it tells nothing but that the process answers.")
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process is alive."""
    return JsonResponse({"status": "ok"})


@public("Watched from outside; it names what is missing and no detail of it.")
def readyz(request: HttpRequest) -> HttpResponse:
    """Check database, migrations and worker; answer 503 and the name of what is missing."""
    checks = health.checks()
    is_ready = all(word == health.OK for word in checks.values())
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", "checks": checks}, status=200 if is_ready else 503
    )
