"""API addresses of customers, projects and keys."""

from django.urls import path

from console.rest.endpoints import resource
from console.rest.exports import files
from customers.directory import api as customers
from customers.imports import api as imports
from customers.keys import api as api_keys
from customers.people import api as people
from customers.projects import api as projects
from customers.projects import api_members as project_members

urlpatterns = [
    path("customers", resource(get=customers.customer_list, post=customers.customer_create)),
    *files("customers", customers.customer_export),
    path("customers/<int:pk>", resource(get=customers.customer_detail, patch=customers.customer_edit)),
    path("customers/<int:pk>/archive", resource(post=customers.customer_archive)),
    path("customers/<int:pk>/restore", resource(post=customers.customer_restore)),
    path("customers/<int:pk>/people", resource(get=people.person_list, post=people.person_invite)),
    path("customers/<int:pk>/people/<int:person>", resource(patch=people.person_edit, delete=people.person_remove)),
    path("customer-imports", resource(get=imports.customer_import_list, post=imports.customer_import_create)),
    path("customer-imports/<int:pk>", resource(get=imports.customer_import_detail)),
    path("customer-imports/<int:pk>/apply", resource(post=imports.customer_import_apply)),
    path("customer-imports/<int:pk>/refused.csv", resource(get=imports.customer_import_refused)),
    path("projects", resource(get=projects.project_list, post=projects.project_create)),
    path("projects/<int:pk>", resource(get=projects.project_detail, patch=projects.project_edit)),
    path("projects/<int:pk>/members", resource(get=project_members.project_member_list)),
    path("projects/<int:pk>/members/<int:member>/end", resource(post=project_members.project_member_end)),
    path("key", resource(get=api_keys.key_detail)),
    path("api-keys", resource(get=api_keys.api_key_list)),
    path("api-keys/<int:pk>", resource(get=api_keys.api_key_detail)),
    path("api-keys/<int:pk>/revoke", resource(post=api_keys.api_key_revoke)),
]
