from django.http import HttpRequest, HttpResponse


def bad_request(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def forbidden(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def not_found_page(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def server_error(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()


def csrf_failure(request: HttpRequest, *args, **kwargs) -> HttpResponse:
    return HttpResponse()
