"""The addresses of products, devices, their imports and changes, ownerships and batches."""

from django.urls import path

from console.rest.endpoints import resource
from console.rest.exports import files
from devices.api import batches, devices, exports, ownerships, products, secrets, shares
from devices.calls import api as calls
from devices.edited_exports import api as changes
from devices.manifest import api as imports
from devices.messages import api as messages

urlpatterns = [
    path("products", resource(get=products.product_list, post=products.product_create)),
    path("products/<str:key>", resource(get=products.product_detail, patch=products.product_edit)),
    path("products/<str:key>/archive", resource(post=products.product_archive)),
    path("products/<str:key>/restore", resource(post=products.product_restore)),
    path("devices", resource(get=devices.device_list, post=devices.device_create)),
    *files("devices", exports.device_export),
    path("devices:unclaim", resource(post=batches.devices_unclaim)),
    path(
        "devices/<int:pk>",
        resource(get=devices.device_detail, patch=devices.device_edit, delete=devices.device_archive),
    ),
    path("devices/<int:pk>/restore", resource(post=devices.device_restore)),
    path("devices/<int:pk>/owner", resource(put=devices.owner_assign, delete=devices.owner_unclaim)),
    path("devices/<int:pk>/secret", resource(post=secrets.device_secret)),
    path("devices/<int:pk>/shares", resource(get=shares.share_list)),
    path("devices/<int:pk>/shares/<int:share>/end", resource(post=shares.share_end)),
    path("messages", resource(get=messages.message_stream)),
    path("devices/<int:pk>/messages", resource(get=messages.message_list)),
    *files("devices/<int:pk>/messages", messages.message_export),
    path("projects/<int:pk>/messages", resource(get=messages.project_message_list)),
    *files("projects/<int:pk>/messages", messages.project_message_export),
    path("devices/<int:pk>/calls", resource(get=calls.call_list, post=calls.call_create)),
    path("devices/<int:pk>/calls/<int:call>", resource(get=calls.call_detail)),
    path("device-imports", resource(get=imports.device_import_list, post=imports.device_import_create)),
    path("device-imports/<int:pk>", resource(get=imports.device_import_detail)),
    path("device-imports/<int:pk>/apply", resource(post=imports.device_import_apply)),
    path("device-imports/<int:pk>/refused.csv", resource(get=imports.device_import_refused)),
    path("device-changes", resource(get=changes.device_changes_list, post=changes.device_changes_create)),
    path("device-changes/<int:pk>", resource(get=changes.device_changes_detail)),
    path("device-changes/<int:pk>/apply", resource(post=changes.device_changes_apply)),
    path("device-changes/<int:pk>/refused.csv", resource(get=changes.device_changes_refused)),
    path("device-ownerships", resource(get=ownerships.ownership_list, post=ownerships.ownership_take)),
    path("device-ownerships/<int:pk>/release", resource(post=ownerships.ownership_release)),
    path("customers/<int:pk>/devices:assign", resource(post=batches.devices_assign)),
]
