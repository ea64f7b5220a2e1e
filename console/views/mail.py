from django.http import HttpRequest, HttpResponse


def mail_list(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def mail_open(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
