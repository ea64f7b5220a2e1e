"""Pages of devices."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from console.access import Permission
from console.editing import Edit
from console.export import stream
from console.forms import page, press
from console.listing import render_list
from console.policies import requires
from console.requests import Request
from devices import timeline, wiping
from devices.actions import devices, undo
from devices.exports import device_table
from devices.filters import DeviceFilter
from devices.forms import DeviceForm
from devices.models import Device, Ownership, Product, SharedAccess
from devices.tables import DeviceTable

SHOWN_OF_SPANS = [
    "device",
    "customer__name",
    "started_at",
    "ended_at",
    "start_reason",
    "end_reason",
    "started_by",
    "ended_by",
    "start_note",
    "end_note",
    "start_evidence",
    "end_evidence",
]


@requires(Permission.VIEW)
def device_list(request: Request) -> HttpResponse:
    """List all devices, filtered, ordered and paged."""
    rows = Device.objects.visible_to(request.actor).listed()
    context = {"bulk_template": "devices/_device_bulk.html"}
    return render_list(
        request,
        rows=rows,
        table=DeviceTable,
        filters=DeviceFilter,
        template="devices/device_list.html",
        context=context,
    )


@requires(Permission.EXPORT)
def device_export(request: Request) -> StreamingHttpResponse:
    """Export the filtered list as CSV or XLSX, streamed."""
    return stream(request, *device_table(request))


@requires(Permission.DEVICE_EDIT)
def device_create(request: Request) -> HttpResponse:
    """Register a device."""
    form = DeviceForm(request.POST or None, actor=request.actor, initial={"product": request.GET.get("product")})
    if request.method == "POST" and form.is_valid():
        return redirect(devices.register(by=request.actor, **form.cleaned_data))
    has_product = Product.objects.visible_to(request.actor).current().exists()
    return page(request, "devices/device_create.html", form, has_product=has_product)


@requires(Permission.VIEW)
def device_detail(request: Request, pk: int) -> HttpResponse:
    """Show a device: its current and former owners, its properties, and its history."""
    rows = Device.objects.visible_to(request.actor).select_related("product", "customer", "report")
    device = get_object_or_404(rows.with_what_it_has(), pk=pk)
    owned = Ownership.objects.visible_to(request.actor).filter(device=device).select_related("customer")
    spans = list(owned.only(*SHOWN_OF_SPANS).order_by("-started_at"))
    shares = SharedAccess.objects.visible_to(request.actor).filter(device=device, ended_at=None)
    bar = timeline.parts(device.created_at, spans)
    tags = device.device_tags.select_related("tag").order_by("tag__name_key")
    context = {
        "device": device,
        "spans": spans,
        "bar": bar,
        "scale": timeline.scale(device.created_at, bar),
        "shares": shares.select_related("customer", "project") if device.is_shared else (),
        "tags": [row.tag for row in tags] if device.has_tags else (),
        "undoable": undo.open_for(spans, by=request.actor),
        "wipe_for": wiping.named(wiping.owners_among(spans, device)),
    }
    return render(request, "devices/device_detail.html", context)


@requires(Permission.DEVICE_EDIT)
def device_edit(request: Request, pk: int) -> HttpResponse:
    """Edit a device."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    edit = Edit(
        request,
        device,
        lambda data, row: DeviceForm(data, instance=row, actor=request.actor),
        lambda row, values: devices.edit(row, by=request.actor, **values),
    )
    return redirect(device) if edit.is_done else edit.page("devices/device_edit.html", device=device)


@requires(Permission.DEVICE_ARCHIVE)
def device_archive(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation, then archive the device."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    if request.method != "POST":
        return render(request, "devices/device_archive.html", {"device": device})
    return press(request, device, lambda row, by: devices.archive([row.pk], by=by))


@requires(Permission.DEVICE_ARCHIVE)
def device_restore(request: Request, pk: int) -> HttpResponse:
    """Restore an archived device."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    return press(request, device, lambda row, by: devices.restore([row.pk], by=by))
