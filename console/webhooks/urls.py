"""The URLs of the webhook pages, below Settings."""

from django.urls import path

from console.webhooks import views

urlpatterns = [
    path("settings/webhooks/", views.webhook_list, name="webhook_list"),
    path("settings/webhooks/new/", views.webhook_create, name="webhook_create"),
    path("settings/webhooks/<int:pk>/", views.webhook_detail, name="webhook_detail"),
    path("settings/webhooks/<int:pk>/edit/", views.webhook_edit, name="webhook_edit"),
    path("settings/webhooks/<int:pk>/secret/", views.webhook_rotate, name="webhook_rotate"),
    path("settings/webhooks/<int:pk>/enable/", views.webhook_enable, name="webhook_enable"),
    path("settings/webhooks/<int:pk>/disable/", views.webhook_disable, name="webhook_disable"),
    path("settings/webhooks/<int:pk>/kept/", views.webhook_kept, name="webhook_kept"),
    path("settings/webhooks/<int:pk>/remove/", views.webhook_remove, name="webhook_remove"),
    path("settings/webhooks/<int:pk>/test/", views.webhook_test, name="webhook_test"),
    path("settings/webhooks/<int:pk>/calls/<int:delivery_pk>/", views.webhook_delivery, name="webhook_delivery"),
    path(
        "settings/webhooks/<int:pk>/calls/<int:delivery_pk>/again/",
        views.webhook_delivery_again,
        name="webhook_delivery_again",
    ),
]
