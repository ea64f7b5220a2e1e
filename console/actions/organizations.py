"""Creates organizations and changes what their owners decide: name, brand, logo, claim domains."""

import io
import struct
from datetime import datetime
from typing import IO, Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from PIL import ImageOps

from console import edits, events, throttle
from console.access import ROLES, Actor
from console.audit import record
from console.errors import Refused
from console.models import Member, Organization, OrganizationDomain, OrganizationLogo, Role, User
from console.pictures import TooLarge, open_picture
from console.transactions import retrying

LOGO_FORMATS = ("PNG", "JPEG", "WEBP")
LOGO_PIXELS = 1_000_000
LOGO_SIDE = 256


@retrying
def found(
    *,
    name: str,
    owner_name: str,
    email: str,
    password: str,
    time_zone: str = "UTC",
    requires_second_factor: bool = True,
    at: datetime | None = None,
) -> Member:
    """Create the first organization of this server, and its owner, who signs in with this password.

    Raises Refused if an organization exists already: if two people try at once, one succeeds.
    """
    throttle.take_turn("first run", "")
    if Organization.objects.exists():
        raise Refused("set_up_already", _("This server is already set up. Sign in, or ask its owner to invite you."))
    organization = make(name, time_zone=time_zone, requires_second_factor=requires_second_factor, at=at)
    owner = User.objects.create_user(email, password, name=owner_name.strip(), time_zone="")
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    member = Member.objects.create(organization=organization, user=owner, role=Role.OWNER)
    record(events.ORGANIZATION_CREATED, organization, by=actor_of(member), at=at)
    return member


@retrying
def make(
    name: str, *, time_zone: str = "UTC", requires_second_factor: bool = True, at: datetime | None = None
) -> Organization:
    """Create an organization without members. Its slug is derived from the name."""
    return Organization.objects.create(
        name=name.strip(),
        slug=_free_slug(name),
        time_zone=time_zone,
        requires_second_factor=requires_second_factor,
        created_at=at or timezone.now(),
    )


def actor_of(member: Member) -> Actor:
    """Return the actor for a member."""
    return Actor(
        kind="member",
        user=member.user,
        organization=member.organization,
        role=member.role,
        permissions=ROLES[member.role],
        label=str(member.user),
    )


@transaction.atomic
def edit(organization: Organization, values: dict[str, Any], *, by: Actor) -> None:
    """Change the given fields of the organization. Nothing is logged if nothing changes."""
    if changed := edits.write(organization, values):
        record(events.ORGANIZATION_EDITED, organization, by=by, **changed)


def set_logo(organization: Organization, file: IO[bytes], *, by: Actor) -> OrganizationLogo:
    """Store a small PNG that is redrawn from the picture, so that nothing but its pixels survives.

    Raises Refused if the file is not a PNG, JPEG or WebP picture, or has more than 16 million pixels.
    """
    png = _redrawn(file)
    with transaction.atomic():
        logo, _is_first = OrganizationLogo.objects.update_or_create(
            organization=organization, defaults={"png": png, "changed_at": timezone.now()}
        )
        record(events.ORGANIZATION_LOGO_CHANGED, organization, by=by)
    return logo


@transaction.atomic
def remove_logo(organization: Organization, *, by: Actor) -> None:
    """Delete the logo. The brand's name is shown instead."""
    if OrganizationLogo.objects.filter(organization=organization).delete()[0]:
        record(events.ORGANIZATION_LOGO_REMOVED, organization, by=by)


def add_domain(organization: Organization, host: str, *, by: Actor) -> OrganizationDomain:
    """Allow claim links to carry this host. Raises Refused if any organization already has it."""
    try:
        with transaction.atomic():
            domain = OrganizationDomain.objects.create(organization=organization, host=host)
            record(events.DOMAIN_ADDED, domain, by=by)
    except IntegrityError:
        raise Refused("duplicate", _("This domain is already registered."), status=422) from None
    return domain


@transaction.atomic
def remove_domain(domain: OrganizationDomain, *, by: Actor) -> None:
    """Remove a domain from use. Raises Refused if a claim profile's links carry it."""
    record(events.DOMAIN_REMOVED, domain, by=by)
    try:
        domain.delete()
    except ProtectedError:
        raise Refused(
            "in_use",
            _(
                "Claim profiles use %(host)s, and their printed links would stop working. Give those profiles another "
                "domain first."
            )
            % {"host": domain.host},
        ) from None


def _free_slug(name: str) -> str:
    base = slugify(name)[:50].strip("-") or "organization"
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def _redrawn(file: IO[bytes]) -> bytes:
    try:
        picture = open_picture(file, LOGO_FORMATS, most_pixels=LOGO_PIXELS)
        # A picture with a palette can only be scaled down by leaving out pixels.
        if picture.mode in {"P", "1"}:
            picture = picture.convert("RGBA" if picture.mode == "P" else "L")
        picture.thumbnail((LOGO_SIDE, LOGO_SIDE))
        picture = ImageOps.exif_transpose(picture).convert("RGBA")
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", optimize=True)
    except TooLarge:
        raise Refused(
            "too_large", _("This picture has too many pixels. Make it smaller; 256 pixels wide is enough."), status=422
        ) from None
    except (OSError, ValueError, SyntaxError, EOFError, struct.error):
        raise Refused(
            "no_picture", _("This isn’t a PNG, JPEG or WebP picture. Choose another file."), status=422
        ) from None
    return buffer.getvalue()
