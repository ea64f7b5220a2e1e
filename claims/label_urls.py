"""The addresses of labels."""

from django.urls import path

from claims.views import labels

label_patterns = [
    path("labels/", labels.label_sheet_list, name="label_sheet_list"),
    path("labels/new/", labels.label_sheet_create, name="label_sheet_create"),
    path("labels/<int:pk>/", labels.label_sheet_detail, name="label_sheet_detail"),
    path("labels/<int:pk>/download/", labels.label_sheet_download, name="label_sheet_download"),
]
