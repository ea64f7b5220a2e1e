"""Returns and swaps in the console."""

from django.urls import path

from claims.views import returns, swaps

return_patterns = [
    path("returns/", returns.return_list, name="return_list"),
    path("returns/workbench/", returns.return_workbench, name="return_workbench"),
    path("returns/receive/", returns.return_receive, name="return_receive"),
    path("returns/receive/<int:pk>/undo/", returns.return_receive_undo, name="return_receive_undo"),
    path("returns/export/", returns.return_export, name="return_export"),
    path("returns/inspect/", returns.return_inspect, name="return_inspect"),
    path("returns/inspect/<int:pk>/undo/", returns.return_inspect_undo, name="return_inspect_undo"),
    path("returns/labels/", returns.return_label_queue, name="return_label_queue"),
    path("returns/labels/done/", returns.return_label_done, name="return_label_done"),
    path("returns/<int:pk>/", returns.return_detail, name="return_detail"),
    path("returns/<int:pk>/cancel/", returns.return_cancel, name="return_cancel"),
    path("settings/returns/", returns.return_settings, name="return_settings"),
    path("devices/<int:pk>/swap/", swaps.device_swap, name="device_swap"),
]
