"""The addresses of the pages of webhooks, below Settings."""

from django.urls import path

from console.views import webhooks

urlpatterns = [
    path("settings/webhooks/", webhooks.webhook_list, name="webhook_list"),
    path("settings/webhooks/new/", webhooks.webhook_create, name="webhook_create"),
    path("settings/webhooks/<int:pk>/", webhooks.webhook_detail, name="webhook_detail"),
    path("settings/webhooks/<int:pk>/edit/", webhooks.webhook_edit, name="webhook_edit"),
    path("settings/webhooks/<int:pk>/secret/", webhooks.webhook_rotate, name="webhook_rotate"),
    path("settings/webhooks/<int:pk>/enable/", webhooks.webhook_enable, name="webhook_enable"),
    path("settings/webhooks/<int:pk>/disable/", webhooks.webhook_disable, name="webhook_disable"),
    path("settings/webhooks/<int:pk>/kept/", webhooks.webhook_kept, name="webhook_kept"),
    path("settings/webhooks/<int:pk>/remove/", webhooks.webhook_remove, name="webhook_remove"),
    path("settings/webhooks/<int:pk>/test/", webhooks.webhook_test, name="webhook_test"),
    path(
        "settings/webhooks/<int:pk>/calls/<int:delivery_pk>/",
        webhooks.webhook_delivery,
        name="webhook_delivery",
    ),
    path(
        "settings/webhooks/<int:pk>/calls/<int:delivery_pk>/again/",
        webhooks.webhook_delivery_again,
        name="webhook_delivery_again",
    ),
]
