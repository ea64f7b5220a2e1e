"""Settings of an organization over REST: name, brand, logo, domains, and the permissions of each role."""

import base64
import binascii
import io
from copy import copy
from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework import serializers
from rest_framework.response import Response

from console import hosts
from console.access import ROLES, Permission
from console.actions import organizations
from console.editing import named
from console.forms import DomainForm, OrganizationForm
from console.models import Organization, OrganizationDomain, OrganizationLogo, Role
from console.rest.endpoints import Nothing, endpoint
from console.rest.fields import Body, Flag, Text
from console.rest.forms import checked
from console.rest.paging import page
from console.rest.problems import Unfit

TAG = "organization"

EDIT = Permission.ORGANIZATION_EDIT
# Base64 turns every 3 bytes into 4 characters, so this is a picture of 6 MB.
LONGEST_PICTURE = 8 * 1024 * 1024
# A single red pixel: a complete picture that is short enough for the documentation.
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


class OrganizationOut(serializers.ModelSerializer):
    """The organization that your key belongs to."""

    logo_url = serializers.SerializerMethodField()

    class Meta:
        model = Organization
        fields = [
            "id",
            "name",
            "slug",
            "time_zone",
            "requires_second_factor",
            "brand_name",
            "support_email",
            "support_phone",
            "support_note",
            "imprint_url",
            "privacy_url",
            "logo_url",
            "created_at",
        ]

    def get_logo_url(self, organization: Organization) -> str | None:
        """The public address of the logo, a PNG file; null without a logo."""
        if not OrganizationLogo.objects.filter(organization=organization).exists():  # unscoped: the actor's own
            return None
        return settings.BASE_URL + reverse("console:logo", args=[organization.slug])


class OrganizationIn(Body):
    """The settings of the organization that you can change."""

    name = Text(max_length=120)
    time_zone = Text(max_length=64, help_text="A name such as Europe/Berlin, or UTC.")
    requires_second_factor = Flag(help_text="Require two-factor authentication.")
    brand_name = Text(
        max_length=120,
        allow_blank=True,
        help_text="The name shown to customers. If empty, the organization's name is shown.",
    )
    support_email = Text(max_length=254, allow_blank=True)
    support_phone = Text(max_length=40, allow_blank=True)
    support_note = Text(max_length=200, allow_blank=True)
    imprint_url = Text(max_length=300, allow_blank=True, help_text="An https address that customers’ pages link to.")
    privacy_url = Text(max_length=300, allow_blank=True, help_text="An https address that customers’ pages link to.")


class LogoIn(Body):
    """A picture to use as the logo."""

    picture = Text(
        max_length=LONGEST_PICTURE,
        pattern="^[A-Za-z0-9+/]+={0,2}$",
        help_text="PNG, JPEG or WebP, in base64 without line breaks. It is shown up to 256 pixels wide.",
    )


class DomainOut(serializers.ModelSerializer):
    """A host name that claim links may contain."""

    is_served = serializers.SerializerMethodField()

    class Meta:
        model = OrganizationDomain
        fields = ["id", "host", "is_served"]

    def get_is_served(self, domain: OrganizationDomain) -> bool:
        """Whether this server responds at the host name; if not, its operator has to add it to the server's names."""
        return hosts.is_served(domain.host)


class DomainIn(Body):
    """A host name to add to the organization."""

    host = Text(max_length=300, help_text="The host name only, such as claim.example.com.")


class RoleOut(serializers.Serializer):
    """A role of members, and the scopes that it allows."""

    role = serializers.ChoiceField(choices=Role.choices)
    label = serializers.CharField()
    permissions = serializers.ListField(child=serializers.ChoiceField(choices=[p.value for p in Permission]))


@endpoint("See the organization", may=Permission.VIEW, answers=OrganizationOut)
def organization_detail(request: Any) -> Any:
    """Returns the organization that your key belongs to."""
    return request.actor.organization


@endpoint(
    "Edit the organization",
    may=EDIT,
    takes=OrganizationIn,
    answers=OrganizationOut,
    example={"brand_name": "Northlake Water", "support_email": "help@example.com"},
)
def organization_edit(request: Any) -> Any:
    """Changes the settings that you send and leaves all others as they are."""
    organization = request.actor.organization
    form = checked(OrganizationForm, request.body_data, instance=copy(organization))
    organizations.edit(organization, named(form, request.body_data), by=request.actor)
    return organization


@endpoint("Set the logo", may=EDIT, takes=LogoIn, answers=OrganizationOut, example={"picture": PICTURE})
def organization_logo_set(request: Any) -> Any:
    """Replaces the logo. The picture is redrawn as a small PNG."""
    try:
        picture = base64.b64decode(request.body_data["picture"], validate=True)
    except binascii.Error:
        raise Unfit({"picture": ["This isn't Base64."]}) from None
    organizations.set_logo(request.actor.organization, io.BytesIO(picture), by=request.actor)
    return request.actor.organization


@endpoint("Remove the logo", may=EDIT)
def organization_logo_remove(request: Any) -> None:
    """Removes the logo. Customers see the brand name instead."""
    organizations.remove_logo(request.actor.organization, by=request.actor)


@endpoint("List domains", may=Permission.VIEW, answers=DomainOut, is_list=True)
def domain_list(request: Any) -> Any:
    """Returns the host names that claim links of the organization may contain."""
    return page(request.query, request.actor.organization.domains.all(), DomainOut)


@endpoint(
    "Add a domain", may=EDIT, takes=DomainIn, answers=DomainOut, status=201, example={"host": "claim.example.com"}
)
def domain_create(request: Any) -> Any:
    """Adds a host name that claim links may contain.

    An international name is stored in its ASCII form. A domain belongs to one organization only.
    """
    form = checked(DomainForm, request.body_data)
    return organizations.add_domain(request.actor.organization, form.cleaned_data["host"], by=request.actor)


@endpoint("Remove a domain", may=EDIT)
def domain_remove(request: Any, pk: int) -> None:
    """Removes a host name.

    The call is refused while a claim profile uses the host name, because its printed links would stop working.
    """
    organizations.remove_domain(get_object_or_404(request.actor.organization.domains, pk=pk), by=request.actor)


@endpoint("List roles", may=Permission.VIEW, answers=RoleOut, query=Nothing, is_list=True)
def role_list(request: Any) -> Any:
    """Returns every role of members with the scopes that it allows.

    Owners and administrators differ in one thing: only an owner can make somebody an owner.
    """
    rows = [
        {"role": role, "label": role.label, "permissions": [p for p in Permission if p in ROLES[role]]} for role in Role
    ]
    return Response({"results": RoleOut(rows, many=True).data, "next": None})
