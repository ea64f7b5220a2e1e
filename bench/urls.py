"""The addresses of the product, of the peer, and of the floor."""

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from console.models import Organization
from devices.models import Device, Ownership


class Site(admin.AdminSite):
    """Open to anybody who is signed in: its speed is measured, not its permissions."""

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated


class DeviceAdmin(admin.ModelAdmin):
    """The device list in Django's admin: the same columns, rows and filters, with few queries."""

    list_display = ("serial_number", "product", "status", "customer", "since", "tags", "created_at")
    list_filter = ("product", "status")
    search_fields = ("serial_number", "device_name")
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Return the devices of one organization."""
        rows = super().get_queryset(request).filter(organization=request.actor.organization)  # type: ignore[attr-defined]
        spans = Ownership.objects.filter(device=OuterRef("pk"), ended_at=None)
        return rows.annotate(owned_since=Subquery(spans.values("started_at")[:1])).prefetch_related("device_tags__tag")

    def since(self, device: Device) -> object:
        """Return when the current ownership began."""
        return device.owned_since  # type: ignore[attr-defined]

    def tags(self, device: Device) -> str:
        """Return the device's tags."""
        return ", ".join(sorted(row.tag.name for row in device.device_tags.all()))

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True

    has_module_permission = has_add_permission = has_view_permission

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True


site = Site()
site.register(Device, DeviceAdmin)


def empty(request: HttpRequest) -> HttpResponse:
    """Run only what every page needs: session, user and one query."""
    name = Organization.objects.values_list("name", flat=True).first()
    return HttpResponse(f"{name} {request.user.is_authenticated} {len(request.session.keys())}")


urlpatterns = [path("bench/admin/", site.urls), path("bench/empty/", empty), path("", include("console.urls"))]
handler400, handler403, handler404, handler429, handler500 = (
    "console.views.errors.bad_request",
    "console.views.errors.forbidden",
    "console.views.errors.not_found_page",
    "console.views.errors.too_many",
    "console.views.errors.server_error",
)
