"""URLs of returns and swaps in the console."""

from django.urls import path

from claims.returns import swap_views, views

return_patterns = [
    path("returns/", views.return_list, name="return_list"),
    path("returns/workbench/", views.return_workbench, name="return_workbench"),
    path("returns/receive/", views.return_receive, name="return_receive"),
    path("returns/receive/<int:pk>/undo/", views.return_receive_undo, name="return_receive_undo"),
    path("returns/export/", views.return_export, name="return_export"),
    path("returns/inspect/", views.return_inspect, name="return_inspect"),
    path("returns/inspect/<int:pk>/undo/", views.return_inspect_undo, name="return_inspect_undo"),
    path("returns/labels/", views.return_label_queue, name="return_label_queue"),
    path("returns/labels/done/", views.return_label_done, name="return_label_done"),
    path("returns/<int:pk>/", views.return_detail, name="return_detail"),
    path("returns/<int:pk>/cancel/", views.return_cancel, name="return_cancel"),
    path("settings/returns/", views.return_settings, name="return_settings"),
    path("devices/<int:pk>/swap/", swap_views.device_swap, name="device_swap"),
]
