"""The pages of shipments."""

from django.urls import path

from claims.views import shipments

shipment_patterns = [
    path("shipments/", shipments.shipment_list, name="shipment_list"),
    path("shipments/new/", shipments.shipment_create, name="shipment_create"),
    path("shipments/<int:pk>/", shipments.shipment_detail, name="shipment_detail"),
    path("shipments/<int:pk>/edit/", shipments.shipment_edit, name="shipment_edit"),
    path("shipments/<int:pk>/pack/", shipments.shipment_pack, name="shipment_pack"),
    path("shipments/<int:pk>/unpack/", shipments.shipment_unpack, name="shipment_unpack"),
    path("shipments/<int:pk>/ship/", shipments.shipment_ship, name="shipment_ship"),
    path("shipments/<int:pk>/cancel/", shipments.shipment_cancel, name="shipment_cancel"),
    path("shipments/<int:pk>/reopen/", shipments.shipment_reopen, name="shipment_reopen"),
    path(
        "shipments/<int:pk>/packing-list.pdf", shipments.shipment_packing_list, name="shipment_packing_list"
    ),
    path("shipments/<int:pk>/export/", shipments.shipment_export, name="shipment_export"),
]
