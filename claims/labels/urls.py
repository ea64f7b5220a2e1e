"""The URLs of label pages."""

from django.urls import path

from claims.labels import views

label_patterns = [
    path("labels/", views.label_sheet_list, name="label_sheet_list"),
    path("labels/new/", views.label_sheet_create, name="label_sheet_create"),
    path("labels/<int:pk>/", views.label_sheet_detail, name="label_sheet_detail"),
    path("labels/<int:pk>/download/", views.label_sheet_download, name="label_sheet_download"),
]
