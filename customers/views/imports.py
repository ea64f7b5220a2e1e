from django.http import HttpResponse

from console.access import public


@public("x")
def customer_import(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_import_detail(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_import_columns(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_import_apply(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_import_refused(request, **kwargs):
    return HttpResponse("")
