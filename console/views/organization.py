from django.http import HttpRequest, HttpResponse


def organization_edit(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def organization_logo(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def domain_list(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def domain_remove(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def role_list(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def organization_switch(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def logo(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
