"""URLs of the customer portal."""

from django.urls import path

from claims.portal import access_views, call_views, key_views, message_views, return_views, views

urlpatterns = [
    path("portal/", views.home, name="home"),
    path("portal/projects/<int:pk>/", views.project_detail, name="project_detail"),
    path("portal/projects/<int:pk>/edit/", access_views.project_edit, name="project_edit"),
    path(
        "portal/projects/<int:pk>/members/<int:member_pk>/end/",
        access_views.project_member_end,
        name="project_member_end",
    ),
    path(
        "portal/devices/<int:pk>/shares/<int:share_pk>/end/", access_views.device_access_end, name="device_access_end"
    ),
    path("portal/devices/<int:pk>/", views.device_detail, name="device_detail"),
    path("portal/devices/<int:pk>/messages/", message_views.message_list, name="message_list"),
    path("portal/devices/<int:pk>/messages/export/", message_views.message_export, name="message_export"),
    path("portal/projects/<int:pk>/messages/", message_views.message_project_list, name="message_project_list"),
    path(
        "portal/projects/<int:pk>/messages/export/", message_views.message_project_export, name="message_project_export"
    ),
    path("portal/devices/<int:pk>/calls/", call_views.call_list, name="call_list"),
    path("portal/devices/<int:pk>/calls/new/", call_views.call_create, name="call_create"),
    path("portal/devices/<int:pk>/calls/<int:call_pk>/", call_views.call_detail, name="call_detail"),
    path("portal/api-keys/", key_views.api_key_list, name="api_key_list"),
    path("portal/api-keys/new/", key_views.api_key_create, name="api_key_create"),
    path("portal/api-keys/<int:pk>/key/", key_views.api_key_show, name="api_key_show"),
    path("portal/api-keys/<int:pk>/revoke/", key_views.api_key_revoke, name="api_key_revoke"),
    path("portal/past/", views.past_device_list, name="past_device_list"),
    path("portal/devices/<int:pk>/send-back/", return_views.return_create, name="return_create"),
    path("portal/returns/", return_views.return_list, name="return_list"),
    path("portal/returns/<int:pk>/", return_views.return_detail, name="return_detail"),
    path("portal/returns/<int:pk>/slip.pdf", return_views.return_slip, name="return_slip"),
    path("portal/returns/<int:pk>/cancel/", return_views.return_cancel, name="return_cancel"),
]
