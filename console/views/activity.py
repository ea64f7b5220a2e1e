from django.http import HttpRequest, HttpResponse


def activity_list(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def activity_export(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
