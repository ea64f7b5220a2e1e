"""Pages of products."""

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from console.access import Permission
from console.editing import Edit
from console.forms import page, press
from console.listing import render_list
from console.policies import requires
from console.requests import Request
from devices.actions import products
from devices.filters import ProductFilter
from devices.forms import ProductForm
from devices.models import Device, DeviceStatus, Product
from devices.pages import with_device_counts
from devices.tables import ProductTable


@requires(Permission.VIEW)
def product_list(request: Request) -> HttpResponse:
    """List all products."""
    rows = Product.objects.visible_to(request.actor)
    return render_list(
        request,
        rows=rows,
        table=ProductTable,
        filters=ProductFilter,
        decorate=with_device_counts,
        template="devices/product_list.html",
    )


@requires(Permission.PRODUCT_EDIT)
def product_create(request: Request) -> HttpResponse:
    """Create a product."""
    form = ProductForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        return redirect(products.create(by=request.actor, **form.cleaned_data))
    return page(request, "devices/product_create.html", form)


@requires(Permission.VIEW)
def product_detail(request: Request, pk: int) -> HttpResponse:
    """Show a product with its number of devices by status."""
    product = get_object_or_404(Product.objects.visible_to(request.actor).select_related("single_account"), pk=pk)
    counts = (
        Device.objects.visible_to(request.actor)
        .filter(product=product, archived_at=None)
        .order_by()
        .values("status")
        .annotate(n=Count("pk"))
    )
    by_status = {row["status"]: row["n"] for row in counts}
    figures = [(value, label, by_status.get(value, 0)) for value, label in DeviceStatus.choices]
    context = {"product": product, "figures": figures, "total": sum(by_status.values())}
    return render(request, "devices/product_detail.html", context)


@requires(Permission.PRODUCT_EDIT)
def product_edit(request: Request, pk: int) -> HttpResponse:
    """Edit a product."""
    product = get_object_or_404(Product.objects.visible_to(request.actor), pk=pk)
    edit = Edit(
        request,
        product,
        lambda data, row: ProductForm(data, instance=row, actor=request.actor),
        lambda row, values: products.edit(row, by=request.actor, **values),
    )
    return redirect(product) if edit.is_done else edit.page("devices/product_edit.html", product=product)


@requires(Permission.PRODUCT_EDIT)
def product_archive(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation, then archive the product."""
    product = get_object_or_404(Product.objects.visible_to(request.actor), pk=pk)
    if request.method != "POST":
        return render(request, "devices/product_archive.html", {"product": product})
    return press(request, product, products.archive)


@requires(Permission.PRODUCT_EDIT)
def product_restore(request: Request, pk: int) -> HttpResponse:
    """Restore an archived product."""
    product = get_object_or_404(Product.objects.visible_to(request.actor), pk=pk)
    return press(request, product, products.restore)
