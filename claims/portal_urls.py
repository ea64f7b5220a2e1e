"""The portal of customers' people."""

from django.urls import path

from claims.views import portal

urlpatterns = [
    path("portal/", portal.home, name="home"),
    path("portal/projects/<int:pk>/", portal.project_detail, name="project_detail"),
    path("portal/devices/<int:pk>/", portal.device_detail, name="device_detail"),
    path("portal/past/", portal.past_device_list, name="past_device_list"),
]
