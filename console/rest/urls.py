"""The foundation's addresses of the REST API. `console.urls` adds those of the other apps."""

from django.urls import path

from console.audit import api as events
from console.people import api as members
from console.rest import operations, organization, schema, search
from console.rest.endpoints import resource
from console.rest.exports import files
from console.webhooks import api as webhooks

urlpatterns = [
    path("openapi.json", schema.document, name="openapi"),
    path("docs/", schema.docs, name="docs"),
    path("operations", resource(get=operations.operation_list)),
    path("operations/<int:pk>", resource(get=operations.operation_detail)),
    path("operations/<int:pk>/undo", resource(post=operations.operation_undo)),
    path("operations/<int:pk>/results", resource(get=operations.operation_results)),
    path("operations/<int:pk>/results.csv", resource(get=operations.operation_results_csv)),
    path("events", resource(get=events.event_list)),
    *files("events", events.event_export),
    path("organization", resource(get=organization.organization_detail, patch=organization.organization_edit)),
    path(
        "organization/logo",
        resource(put=organization.organization_logo_set, delete=organization.organization_logo_remove),
    ),
    path("domains", resource(get=organization.domain_list, post=organization.domain_create)),
    path("domains/<int:pk>", resource(delete=organization.domain_remove)),
    path("roles", resource(get=organization.role_list)),
    path("members", resource(get=members.member_list)),
    path(
        "members/<int:pk>", resource(get=members.member_detail, patch=members.member_edit, delete=members.member_remove)
    ),
    path("invitations", resource(get=members.invitation_list, post=members.invitation_create)),
    path("invitations/<int:pk>", resource(delete=members.invitation_revoke)),
    path("search", resource(get=search.search)),
    path("webhooks", resource(get=webhooks.webhook_list, post=webhooks.webhook_create)),
    path(
        "webhooks/<int:pk>",
        resource(get=webhooks.webhook_detail, patch=webhooks.webhook_edit, delete=webhooks.webhook_remove),
    ),
    path("webhooks/<int:pk>/enable", resource(post=webhooks.webhook_enable)),
    path("webhooks/<int:pk>/disable", resource(post=webhooks.webhook_disable)),
    path("webhooks/<int:pk>/kept/send", resource(post=webhooks.webhook_kept_send)),
    path("webhooks/<int:pk>/kept/discard", resource(post=webhooks.webhook_kept_discard)),
    path("webhooks/<int:pk>/rotate-secret", resource(post=webhooks.webhook_rotate)),
    path("webhooks/<int:pk>/test", resource(post=webhooks.webhook_test)),
    path("webhooks/<int:pk>/deliveries", resource(get=webhooks.delivery_list)),
    path("webhooks/<int:pk>/deliveries/<int:delivery>", resource(get=webhooks.delivery_detail)),
    path("webhooks/<int:pk>/deliveries/<int:delivery>/send-again", resource(post=webhooks.delivery_send)),
]
# Must come last, after the addresses of the other apps.
nothing_here = path("<path:rest>", schema.nothing_here)
