"""The addresses of the pages of products, devices and manifests."""

from django.urls import include, path

from devices.calls import views
from devices.edited_exports import views as roundtrips
from devices.manifest import views as manifests
from devices.messages import views as messages
from devices.views import devices, ownership, products

devices_patterns = [
    path("products/", products.product_list, name="product_list"),
    path("products/new/", products.product_create, name="product_create"),
    path("products/<int:pk>/", products.product_detail, name="product_detail"),
    path("products/<int:pk>/edit/", products.product_edit, name="product_edit"),
    path("products/<int:pk>/archive/", products.product_archive, name="product_archive"),
    path("products/<int:pk>/restore/", products.product_restore, name="product_restore"),
    path("devices/", devices.device_list, name="device_list"),
    path("devices/new/", devices.device_create, name="device_create"),
    path("devices/export/", devices.device_export, name="device_export"),
    path("devices/assign/", ownership.device_assign, name="device_assign"),
    path("devices/assign/<int:pk>/undo/", ownership.device_assign_undo, name="device_assign_undo"),
    path("devices/unclaim/", ownership.device_unclaim, name="device_unclaim"),
    path("devices/unclaim/<int:pk>/undo/", ownership.device_unclaim_undo, name="device_unclaim_undo"),
    path("devices/import/", manifests.manifest_create, name="manifest_create"),
    path("devices/import/<int:pk>/", manifests.manifest_detail, name="manifest_detail"),
    path("devices/import/<int:pk>/columns/", manifests.manifest_columns, name="manifest_columns"),
    path("devices/import/<int:pk>/apply/", manifests.manifest_apply, name="manifest_apply"),
    path("devices/import/<int:pk>/refused.csv", manifests.manifest_refused, name="manifest_refused"),
    path("devices/changes/", roundtrips.device_changes_create, name="device_changes_create"),
    path("devices/changes/<int:pk>/", roundtrips.device_changes_detail, name="device_changes_detail"),
    path("devices/changes/<int:pk>/columns/", roundtrips.device_changes_columns, name="device_changes_columns"),
    path("devices/changes/<int:pk>/apply/", roundtrips.device_changes_apply, name="device_changes_apply"),
    path("devices/changes/<int:pk>/refused.csv", roundtrips.device_changes_refused, name="device_changes_refused"),
    path("devices/<int:pk>/", devices.device_detail, name="device_detail"),
    path("devices/<int:pk>/edit/", devices.device_edit, name="device_edit"),
    path("devices/<int:pk>/archive/", devices.device_archive, name="device_archive"),
    path("devices/<int:pk>/restore/", devices.device_restore, name="device_restore"),
    path("devices/<int:pk>/messages/", messages.message_list, name="message_list"),
    path("devices/<int:pk>/messages/export/", messages.message_export, name="message_export"),
    path("devices/<int:pk>/call/", views.call_create, name="call_create"),
    path("devices/<int:pk>/calls/<int:call_pk>/", views.call_detail, name="call_detail"),
    path("devices/<int:pk>/secret/", views.device_secret, name="device_secret"),
    path("devices/<int:pk>/access/<int:share_pk>/end/", ownership.device_access_end, name="device_access_end"),
]

urlpatterns = [path("", include((devices_patterns, "devices")))]
