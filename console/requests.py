"""Types of requests for the type checker: the attributes that views and their helpers may read.

Django creates the requests themselves.
"""

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from console.access import Actor
    from console.models import Organization, User


class Request(HttpRequest):
    """A request as the middlewares pass it on. Requests of devices do not go through them."""

    htmx: "HtmxDetails"
    # Who acts in the console, and in the portal; `portal` sets the first to the second there.
    actor: "Actor"
    customer_actor: "Actor"
    is_member: bool
    # Set by single views and upload handlers, for the answer to a refusal or for the form.
    refused_template: str
    oversized_uploads: set[str]
    # Whose days a filter means if the person belongs to no organization.
    days_of: "Organization"


class SignedIn(Request):
    """A request of somebody who is signed in, as after `requires`, `portal` and `signed_in`."""

    user: "User"
