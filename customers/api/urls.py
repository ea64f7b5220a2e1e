"""The addresses of customers and projects."""

from django.urls import path

from console.rest.endpoints import resource
from customers.api import customers as api
from customers.api import imports, people

urlpatterns = [
    path("customers", resource(get=api.customer_list, post=api.customer_create)),
    path("customers/<int:pk>", resource(get=api.customer_detail, patch=api.customer_edit)),
    path("customers/<int:pk>/archive", resource(post=api.customer_archive)),
    path("customers/<int:pk>/restore", resource(post=api.customer_restore)),
    path("customers/<int:pk>/people", resource(get=people.person_list, post=people.person_invite)),
    path(
        "customers/<int:pk>/people/<int:person>",
        resource(patch=people.person_edit, delete=people.person_remove),
    ),
    path("customer-imports", resource(get=imports.customer_import_list, post=imports.customer_import_create)),
    path("customer-imports/<int:pk>", resource(get=imports.customer_import_detail)),
    path("customer-imports/<int:pk>/apply", resource(post=imports.customer_import_apply)),
    path("customer-imports/<int:pk>/refused.csv", resource(get=imports.customer_import_refused)),
    path("projects", resource(get=api.project_list)),
]
