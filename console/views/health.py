from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def readyz(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
