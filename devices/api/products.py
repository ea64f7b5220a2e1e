"""REST endpoints of products."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from console import slugs
from console.access import Permission
from console.editing import named
from console.rest.endpoints import endpoint
from console.rest.forms import checked, filtered
from console.rest.paging import page
from console.rest.problems import Unfit
from devices.actions import products
from devices.api.shapes import ProductIn, ProductOut, ProductQuery
from devices.filters import ProductFilter
from devices.forms import ProductForm
from devices.models import Product

TAG = "products"


@endpoint("List products", may=Permission.VIEW, answers=ProductOut, query=ProductQuery, is_list=True)
def product_list(request: Any) -> Any:
    """List the products of the organization: the current ones, or with `archived` only the archived ones."""
    rows = Product.objects.visible_to(request.actor).select_related("single_account")
    return page(request.query, filtered(ProductFilter, rows, request, archived=request.query["archived"]), ProductOut)


@endpoint(
    "Create a product",
    may=Permission.PRODUCT_EDIT,
    takes=ProductIn,
    answers=ProductOut,
    status=201,
    example={"name": "Flow Probe", "platform": "nRF9160"},
)
def product_create(request: Any) -> Any:
    """Create a product. Its name and its slug must be unique in the organization."""
    form = checked(ProductForm, request.body_data, actor=request.actor)
    return products.create(by=request.actor, **form.cleaned_data)


@endpoint("See a product", may=Permission.VIEW, answers=ProductOut)
def product_detail(request: Any, key: str) -> Any:
    """Return one product, by its id or its slug."""
    return find(request, key)


@endpoint("Edit a product", may=Permission.PRODUCT_EDIT, takes=ProductIn, answers=ProductOut)
def product_edit(request: Any, key: str) -> Any:
    """Change the fields that are sent; all others stay as they are."""
    product = find(request, key)
    form = checked(ProductForm, request.body_data, instance=product, actor=request.actor)
    return products.edit(product, by=request.actor, **named(form, request.body_data))


@endpoint("Archive a product", may=Permission.PRODUCT_EDIT, answers=ProductOut)
def product_archive(request: Any, key: str) -> Any:
    """Archive a product. It disappears from lists and choices; its devices stay as they are."""
    products.archive(find(request, key), by=request.actor)
    return find(request, key)


@endpoint("Restore a product", may=Permission.PRODUCT_EDIT, answers=ProductOut)
def product_restore(request: Any, key: str) -> Any:
    """Restore an archived product, so that it appears in lists and choices again."""
    products.restore(find(request, key), by=request.actor)
    return find(request, key)


def find(request: Any, key: str) -> Product:
    """Return the product with this id or slug, or raise a 404."""
    return get_object_or_404(_named(request, key))


def find_named(request: Any, key: str) -> Product:
    """Return the product that a field names. Raises Unfit if there is none."""
    product = _named(request, key).first()
    if product is None:
        raise Unfit({"product": ["There is no such product."]})
    return product


def _named(request: Any, key: str) -> QuerySet[Product]:
    rows = Product.objects.visible_to(request.actor).select_related("single_account")
    return rows.filter(**slugs.named(key))
