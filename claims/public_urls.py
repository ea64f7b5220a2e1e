"""The public claim pages. A printed link is in upper case, for a smaller QR code; people type any."""

from django.urls import path, re_path

from claims.views import public

urlpatterns = [
    path("c/", public.landing, name="landing"),
    path("c/review/", public.review, name="review"),
    path("c/redeem/", public.redeem, name="redeem"),
    path("c/done/<int:pk>/", public.done, name="done"),
    path("c/not-you/", public.switch, name="switch"),
    path("c/<str:text>/", public.code, name="code"),
    re_path(r"^[cC]/(?P<text>[^/]+)/?$", public.code, name="code_as_printed"),
    re_path(r"^C/?$|^c$", public.landing, name="landing_as_typed"),
]
