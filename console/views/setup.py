from django.http import HttpRequest, HttpResponse


def setup(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
