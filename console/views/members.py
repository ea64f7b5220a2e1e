from django.http import HttpRequest, HttpResponse


def member_list(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def invitation_create(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def member_edit(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def member_remove(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def invitation_revoke(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def invitation_accept(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
