"""Exports of claim profiles and of device codes, as rows of a file."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from claims.models import ClaimProfile
from claims.profiles import printed
from claims.profiles.actions import codes
from claims.profiles.filters import ClaimProfileFilter
from console.downloads import Table
from console.export import newest_first
from console.requests import Request

PROFILE_HEADER = [
    "name",
    "identifier",
    "codes",
    "gives",
    "product",
    "state",
    "claims",
    "max_claims",
    "valid_from",
    "valid_until",
    "domain",
    "last_claimed_at",
    "created_at",
]
UNIT_HEADER = ["serial_number", "device_name", "typed_code", "link", "version"]
CHUNK = 2_000


def claim_profile_table(request: Request) -> Table:
    """Return the profiles that match the filters in the query string."""
    filterset = ClaimProfileFilter(
        request.GET, queryset=ClaimProfile.objects.visible_to(request.actor).with_state(), request=request
    )
    rows = filterset.qs if filterset.is_valid() else filterset.queryset.none()
    return _("claim profiles"), PROFILE_HEADER, _profile_lines(rows)


def unit_code_table(request: Request, profile: ClaimProfile) -> Table:
    """Return the code of each device of the profile with its serial number, and log the export."""
    # A HEAD request transfers no codes, so it is not logged.
    count = codes.note_export(profile, by=request.actor) if request.method != "HEAD" else 0
    return f"{profile.slug} codes", UNIT_HEADER, _unit_lines(profile) if count else []


def _profile_lines(rows: Any) -> Iterator[list[Any]]:
    for profile in newest_first(rows.select_related("product", "domain")):
        yield [
            profile.name,
            profile.slug,
            profile.get_scope_display(),
            profile.get_grant_display(),
            profile.product,
            profile.state.label,
            profile.claim_count,
            profile.max_claims,
            profile.valid_from,
            profile.valid_until,
            profile.domain,
            profile.last_claimed_at,
            profile.created_at,
        ]


def _unit_lines(profile: ClaimProfile) -> Iterator[list[Any]]:
    """Yield a row for each device, in the order in which the devices were registered."""
    last = 0
    while True:
        # unscoped: limited to a visible profile
        rows = profile.codes.filter(device__gt=last).select_related("device").order_by("device_id")
        page = [(code, code.device) for code in rows[:CHUNK] if code.device]
        for code, device in page:
            code.profile = profile
            label = printed.label(code)
            yield [
                device.serial_number,
                device.device_name,
                label.typed if label else "",
                label.link if label else "",
                code.version,
            ]
        if len(page) < CHUNK:
            return
        last = page[-1][1].pk
