"""The portal of customers' people."""

from django.urls import path

from claims.views import portal, portal_access, portal_calls, portal_keys, portal_messages, portal_returns

urlpatterns = [
    path("portal/", portal.home, name="home"),
    path("portal/projects/<int:pk>/", portal.project_detail, name="project_detail"),
    path("portal/projects/<int:pk>/edit/", portal_access.project_edit, name="project_edit"),
    path(
        "portal/projects/<int:pk>/members/<int:member_pk>/end/",
        portal_access.project_member_end,
        name="project_member_end",
    ),
    path(
        "portal/devices/<int:pk>/shares/<int:share_pk>/end/",
        portal_access.device_access_end,
        name="device_access_end",
    ),
    path("portal/devices/<int:pk>/", portal.device_detail, name="device_detail"),
    path("portal/devices/<int:pk>/messages/", portal_messages.message_list, name="message_list"),
    path("portal/devices/<int:pk>/messages/export/", portal_messages.message_export, name="message_export"),
    path(
        "portal/projects/<int:pk>/messages/",
        portal_messages.message_project_list,
        name="message_project_list",
    ),
    path(
        "portal/projects/<int:pk>/messages/export/",
        portal_messages.message_project_export,
        name="message_project_export",
    ),
    path("portal/devices/<int:pk>/calls/", portal_calls.call_list, name="call_list"),
    path("portal/devices/<int:pk>/calls/new/", portal_calls.call_create, name="call_create"),
    path("portal/devices/<int:pk>/calls/<int:call_pk>/", portal_calls.call_detail, name="call_detail"),
    path("portal/api-keys/", portal_keys.api_key_list, name="api_key_list"),
    path("portal/api-keys/new/", portal_keys.api_key_create, name="api_key_create"),
    path("portal/api-keys/<int:pk>/key/", portal_keys.api_key_show, name="api_key_show"),
    path("portal/api-keys/<int:pk>/revoke/", portal_keys.api_key_revoke, name="api_key_revoke"),
    path("portal/past/", portal.past_device_list, name="past_device_list"),
    path("portal/devices/<int:pk>/send-back/", portal_returns.return_create, name="return_create"),
    path("portal/returns/", portal_returns.return_list, name="return_list"),
    path("portal/returns/<int:pk>/", portal_returns.return_detail, name="return_detail"),
    path("portal/returns/<int:pk>/slip.pdf", portal_returns.return_slip, name="return_slip"),
    path("portal/returns/<int:pk>/cancel/", portal_returns.return_cancel, name="return_cancel"),
]
