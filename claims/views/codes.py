from django.http import HttpRequest, HttpResponse



def claim_profile_replace_code(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_qr(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def unit_code_qr(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def unit_code_replace(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()
