"""The public claim pages. Printed links are in upper case, for a smaller QR code; any case is accepted."""

from django.urls import path, re_path

from claims.redemption import views

urlpatterns = [
    path("c/", views.landing, name="landing"),
    path("c/review/", views.review, name="review"),
    path("c/redeem/", views.redeem, name="redeem"),
    path("c/done/<int:pk>/", views.done, name="done"),
    path("c/not-you/", views.switch, name="switch"),
    path("c/<str:text>/", views.code, name="code"),
    re_path(r"^[cC]/(?P<text>[^/]+)/?$", views.code, name="code_as_printed"),
    re_path(r"^C/?$|^c$", views.landing, name="landing_as_typed"),
]
