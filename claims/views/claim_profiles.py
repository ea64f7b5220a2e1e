from django.http import HttpRequest, HttpResponse



def claim_profile_list(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_create(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_export(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_detail(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_edit(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_enable(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_disable(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_claims(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()
