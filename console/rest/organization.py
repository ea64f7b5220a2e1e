"""What an organization decides about itself, over REST: name, brand, logo, domains; and what each role may do."""

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
# In base64 every 3 bytes are 4 characters: a picture of 6 MB.
LONGEST_PICTURE = 8 * 1024 * 1024
# A red point: a whole picture that fits into the documentation.
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


class OrganizationOut(serializers.ModelSerializer):
    """Your organization."""

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
        """Where everybody sees the logo, as PNG; null without one."""
        if not OrganizationLogo.objects.filter(organization=organization).exists():  # unscoped: the actor's own
            return None
        return settings.BASE_URL + reverse("console:logo", args=[organization.slug])


class OrganizationIn(Body):
    """What can be changed of the organization."""

    name = Text(max_length=120)
    time_zone = Text(max_length=64, help_text="A name such as Europe/Berlin, or UTC.")
    requires_second_factor = Flag(help_text="Ask every member for a second step.")
    brand_name = Text(
        max_length=120, allow_blank=True, help_text="What customers read; empty: the organization's name."
    )
    support_email = Text(max_length=254, allow_blank=True)
    support_phone = Text(max_length=40, allow_blank=True)
    support_note = Text(max_length=200, allow_blank=True)
    imprint_url = Text(max_length=300, allow_blank=True, help_text="An https address that customers’ pages link to.")
    privacy_url = Text(max_length=300, allow_blank=True, help_text="An https address that customers’ pages link to.")


class LogoIn(Body):
    """A picture."""

    picture = Text(
        max_length=LONGEST_PICTURE,
        pattern="^[A-Za-z0-9+/]+={0,2}$",
        help_text="PNG, JPEG or WebP, in base64 without line breaks. It is shown up to 256 pixels wide.",
    )


class DomainOut(serializers.ModelSerializer):
    """A host name that claim links may carry."""

    is_served = serializers.SerializerMethodField()

    class Meta:
        model = OrganizationDomain
        fields = ["id", "host", "is_served"]

    def get_is_served(self, domain: OrganizationDomain) -> bool:
        """Whether this server answers to it; if not, its operator has to add it to the server's names."""
        return hosts.is_served(domain.host)


class DomainIn(Body):
    """A host name to add."""

    host = Text(max_length=300, help_text="The name alone, such as claim.example.com.")


class RoleOut(serializers.Serializer):
    """A role of members, and the scopes that it allows."""

    role = serializers.ChoiceField(choices=Role.choices)
    label = serializers.CharField()
    permissions = serializers.ListField(child=serializers.ChoiceField(choices=[p.value for p in Permission]))


@endpoint("See the organization", may=Permission.VIEW, answers=OrganizationOut)
def organization_detail(request: Any) -> Any:
    """The one that the key belongs to."""
    return request.actor.organization


@endpoint(
    "Edit the organization",
    may=EDIT,
    takes=OrganizationIn,
    answers=OrganizationOut,
    example={"brand_name": "Northlake Water", "support_email": "help@example.com"},
)
def organization_edit(request: Any) -> Any:
    """What is left out stays as it is."""
    organization = request.actor.organization
    form = checked(OrganizationForm, request.body_data, instance=copy(organization))
    organizations.edit(organization, named(form, request.body_data), by=request.actor)
    return organization


@endpoint("Set the logo", may=EDIT, takes=LogoIn, answers=OrganizationOut, example={"picture": PICTURE})
def organization_logo_set(request: Any) -> Any:
    """Drawn anew as a small PNG, in place of the one there was."""
    try:
        picture = base64.b64decode(request.body_data["picture"], validate=True)
    except binascii.Error:
        raise Unfit({"picture": ["This is no base64."]}) from None
    organizations.set_logo(request.actor.organization, io.BytesIO(picture), by=request.actor)
    return request.actor.organization


@endpoint("Remove the logo", may=EDIT)
def organization_logo_remove(request: Any) -> None:
    """Customers see the brand's name instead."""
    organizations.remove_logo(request.actor.organization, by=request.actor)


@endpoint("List domains", may=Permission.VIEW, answers=DomainOut, is_list=True)
def domain_list(request: Any) -> Any:
    """The host names that claim links may carry."""
    return page(request.query, request.actor.organization.domains.all(), DomainOut)


@endpoint(
    "Add a domain", may=EDIT, takes=DomainIn, answers=DomainOut, status=201, example={"host": "claim.example.com"}
)
def domain_create(request: Any) -> Any:
    """An international name is kept in its ASCII form. A domain belongs to one organization only."""
    form = checked(DomainForm, request.body_data)
    return organizations.add_domain(request.actor.organization, form.cleaned_data["host"], by=request.actor)


@endpoint("Remove a domain", may=EDIT)
def domain_remove(request: Any, pk: int) -> None:
    """Refused while a claim profile uses it: its printed links would die."""
    organizations.remove_domain(get_object_or_404(request.actor.organization.domains, pk=pk), by=request.actor)


@endpoint("List roles", may=Permission.VIEW, answers=RoleOut, query=Nothing, is_list=True)
def role_list(request: Any) -> Any:
    """The one table of who may do what. An owner differs from an administrator in that nobody else makes owners."""
    rows = [
        {"role": role, "label": role.label, "permissions": [p for p in Permission if p in ROLES[role]]} for role in Role
    ]
    return Response({"results": RoleOut(rows, many=True).data, "next": None})
