from django.http import HttpRequest, HttpResponse


def operation_detail(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def operation_refused(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
