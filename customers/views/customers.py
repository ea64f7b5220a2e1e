from django.http import HttpResponse

from console.access import public

@public("x")
def customer_list(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_create(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_export(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_detail(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_edit(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_archive(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_restore(request, **kwargs):
    return HttpResponse("")

