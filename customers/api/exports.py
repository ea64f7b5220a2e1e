"""Customer lists as files."""

from typing import Any

from console.access import Permission
from console.rest.exports import export, unpaged, written
from customers import exports
from customers.api import customers
from customers.api.shapes import CustomerQuery

TAG = "exports"


@export("Download customers", may=Permission.EXPORT, query=unpaged(CustomerQuery), tag="customers")
def customer_export(request: Any, form: str) -> Any:
    """Returns all customers that match the query, newest first."""
    return written(form, request, "customers", exports.HEADER, exports.lines(customers.matching(request)))
