"""The URLs that devices call."""

from django.urls import include, path

from devices.device_api import views

device_api_patterns = [
    path("messages", views.message_create, name="message_create"),
    path("state", views.state, name="state"),
    path("calls", views.call_list, name="call_list"),
    path("calls/<int:pk>", views.call_answer, name="call_answer"),
]

urlpatterns = [path("", include((device_api_patterns, "device_api")))]
