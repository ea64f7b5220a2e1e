"""URLs of the shipment pages."""

from django.urls import path

from claims.shipments import views

shipment_patterns = [
    path("shipments/", views.shipment_list, name="shipment_list"),
    path("shipments/new/", views.shipment_create, name="shipment_create"),
    path("shipments/<int:pk>/", views.shipment_detail, name="shipment_detail"),
    path("shipments/<int:pk>/edit/", views.shipment_edit, name="shipment_edit"),
    path("shipments/<int:pk>/pack/", views.shipment_pack, name="shipment_pack"),
    path("shipments/<int:pk>/unpack/", views.shipment_unpack, name="shipment_unpack"),
    path("shipments/<int:pk>/ship/", views.shipment_ship, name="shipment_ship"),
    path("shipments/<int:pk>/cancel/", views.shipment_cancel, name="shipment_cancel"),
    path("shipments/<int:pk>/reopen/", views.shipment_reopen, name="shipment_reopen"),
    path("shipments/<int:pk>/packing-list.pdf", views.shipment_packing_list, name="shipment_packing_list"),
    path("shipments/<int:pk>/export/", views.shipment_export, name="shipment_export"),
]
