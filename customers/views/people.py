from django.http import HttpResponse

from console.access import public

@public("x")
def customer_invite(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_user_edit(request, **kwargs):
    return HttpResponse("")


@public("x")
def customer_user_remove(request, **kwargs):
    return HttpResponse("")

