"""The portal of customers' people."""

from django.urls import path

from claims.views import portal, portal_returns

urlpatterns = [
    path("portal/", portal.home, name="home"),
    path("portal/projects/<int:pk>/", portal.project_detail, name="project_detail"),
    path("portal/devices/<int:pk>/", portal.device_detail, name="device_detail"),
    path("portal/past/", portal.past_device_list, name="past_device_list"),
    path("portal/devices/<int:pk>/send-back/", portal_returns.return_create, name="return_create"),
    path("portal/returns/", portal_returns.return_list, name="return_list"),
    path("portal/returns/<int:pk>/", portal_returns.return_detail, name="return_detail"),
    path("portal/returns/<int:pk>/slip.pdf", portal_returns.return_slip, name="return_slip"),
    path("portal/returns/<int:pk>/cancel/", portal_returns.return_cancel, name="return_cancel"),
]
