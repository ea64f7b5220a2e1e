from django.http import HttpRequest, HttpResponse


def account_edit(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def second_factor(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
