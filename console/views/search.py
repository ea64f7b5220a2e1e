from django.http import HttpRequest, HttpResponse


def search(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
