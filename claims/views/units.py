from django.http import HttpRequest, HttpResponse



def claim_profile_add_units(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_units(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()


def claim_profile_units_export(request: HttpRequest, **kwargs) -> HttpResponse:
    return HttpResponse()
