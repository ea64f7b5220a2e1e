"""Addresses of customers, their people and projects, customer imports and API keys."""

from django.urls import include, path

from customers.directory import views as customers
from customers.imports import views as imports
from customers.keys import views as api_keys
from customers.people import views as people
from customers.projects import views as projects

customers_patterns = [
    path("settings/api-keys/", api_keys.api_key_list, name="api_key_list"),
    path("settings/api-keys/new/", api_keys.api_key_create, name="api_key_create"),
    path("settings/api-keys/<int:pk>/key/", api_keys.api_key_show, name="api_key_show"),
    path("settings/api-keys/<int:pk>/revoke/", api_keys.api_key_revoke, name="api_key_revoke"),
    path("customers/", customers.customer_list, name="customer_list"),
    path("customers/options/", customers.customer_options, name="customer_options"),
    path("customers/new/", customers.customer_create, name="customer_create"),
    path("customers/export/", customers.customer_export, name="customer_export"),
    path("customers/import/", imports.customer_import, name="customer_import"),
    path("customers/import/<int:pk>/", imports.customer_import_detail, name="customer_import_detail"),
    path("customers/import/<int:pk>/columns/", imports.customer_import_columns, name="customer_import_columns"),
    path("customers/import/<int:pk>/apply/", imports.customer_import_apply, name="customer_import_apply"),
    path("customers/import/<int:pk>/refused.csv", imports.customer_import_refused, name="customer_import_refused"),
    path("customers/<int:pk>/", customers.customer_detail, name="customer_detail"),
    path("customers/<int:pk>/edit/", customers.customer_edit, name="customer_edit"),
    path("customers/<int:pk>/archive/", customers.customer_archive, name="customer_archive"),
    path("customers/<int:pk>/restore/", customers.customer_restore, name="customer_restore"),
    path("customers/<int:pk>/projects/new/", projects.project_create, name="project_create"),
    path("customers/<int:pk>/projects/<int:project_pk>/", projects.project_detail, name="project_detail"),
    path(
        "customers/<int:pk>/projects/<int:project_pk>/members/<int:member_pk>/end/",
        projects.project_member_end,
        name="project_member_end",
    ),
    path("customers/<int:pk>/projects/<int:project_pk>/rename/", projects.project_edit, name="project_edit"),
    path("customers/<int:pk>/people/invite/", people.customer_invite, name="customer_invite"),
    path("customers/<int:pk>/people/<int:user_pk>/role/", people.customer_user_edit, name="customer_user_edit"),
    path("customers/<int:pk>/people/<int:user_pk>/remove/", people.customer_user_remove, name="customer_user_remove"),
]

urlpatterns = [path("", include((customers_patterns, "customers")))]
