"""The settings of the organization: brand, logo, domains, roles, and switching between organizations."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse, reverse_lazy
from PIL import Image

from claims.models import ClaimProfile
from claims.profiles.actions import codes as claim_codes
from console import hosts
from console.access import ROLES, Permission
from console.actions import organizations
from console.errors import Refused
from console.models import Event, Member, Organization, OrganizationDomain, OrganizationLogo, Role
from tests import factories, forms

pytestmark = pytest.mark.django_db


def picture(size=(900, 300), kind="PNG", **options) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, kind, **options)
    return SimpleUploadedFile(f"logo.{kind.lower()}", buffer.getvalue())


@pytest.fixture
def owner(client_for, alice):
    return client_for(alice)


EDIT = reverse_lazy("console:organization_edit")


def test_an_edit_is_saved_and_reported(owner, organization):
    response = forms.edit(owner, EDIT, name="Northlake Sensors", support_email="help@n.example")
    assert (response.status_code, response.url) == (302, reverse("console:organization_edit"))
    organization.refresh_from_db()
    assert (organization.name, organization.support_email) == ("Northlake Sensors", "help@n.example")
    event = Event.objects.get()
    assert event.kind == "organization.edited"
    assert event.data == {"name": ["Northlake", "Northlake Sensors"], "support_email": ["", "help@n.example"]}


def test_saving_without_a_change_records_nothing(owner):
    assert forms.edit(owner, EDIT).status_code == 302
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("time_zone", "Nowhere"), ("support_email", "x"), ("brand_name", "a\u200bb")]
)
def test_a_bad_value_is_said_at_its_field_and_changes_nothing(owner, organization, field, value):
    response = forms.edit(owner, EDIT, **{field: value})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    organization.refresh_from_db()
    assert organization.name == "Northlake"


def test_fields_that_the_form_does_not_offer_stay_as_they_are(owner, organization):
    forms.edit(owner, EDIT, slug="stolen", id="99")
    assert Organization.objects.get().slug == organization.slug


def test_a_logo_is_redrawn_as_a_small_png(owner, organization):
    assert owner.post(reverse("console:organization_logo"), {"logo": picture()}).status_code == 302
    kept = Image.open(io.BytesIO(bytes(OrganizationLogo.objects.get().png)))
    assert (kept.format, kept.size) == ("PNG", (256, 85))
    assert Event.objects.get().kind == "organization.logo_changed"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_three_kinds_of_pictures_are_taken(owner, kind):
    assert owner.post(reverse("console:organization_logo"), {"logo": picture((64, 64), kind)}).status_code == 302


@pytest.mark.parametrize(
    "file",
    [
        SimpleUploadedFile("a.png", b"hello"),
        SimpleUploadedFile("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        picture((64, 64), "GIF"),
        SimpleUploadedFile("cut.png", picture().read()[:60]),
        picture((5000, 4000), "PNG"),
        None,
    ],
    ids=["text", "svg", "gif", "truncated", "too-many-pixels", "none"],
)
def test_an_unfit_picture_is_refused_at_the_field(owner, file):
    response = owner.post(reverse("console:organization_logo"), {"logo": file} if file else {"other": "1"})
    assert response.status_code == 422
    assert response.context["logo_form"].errors["logo"]
    assert not OrganizationLogo.objects.exists()
    assert not Event.objects.exists()


def test_an_upload_above_the_limit_is_said_at_the_field(owner, settings):
    settings.UPLOAD_LIMIT = 100
    response = owner.post(reverse("console:organization_logo"), {"logo": picture()})
    assert response.status_code == 422
    assert "larger than" in response.context["logo_form"].errors["logo"][0]


def test_everybody_sees_the_logo_and_it_may_be_cached(owner, client, organization):
    assert client.get(reverse("console:logo", args=["northlake"])).status_code == 404
    owner.post(reverse("console:organization_logo"), {"logo": picture()})
    response = client.get(reverse("console:logo", args=["northlake"]))
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert response["Cache-Control"] == "public, max-age=300"


def test_a_logo_can_be_removed(owner):
    owner.post(reverse("console:organization_logo"), {"logo": picture()})
    owner.post(reverse("console:organization_logo"), {"remove": "1"})
    assert not OrganizationLogo.objects.exists()
    assert Event.objects.order_by("-pk").first().kind == "organization.logo_removed"


def test_a_domain_is_kept_in_its_ascii_form(owner, organization):
    assert owner.post(reverse("console:domain_list"), {"host": " Claim.Müller.Example "}).status_code == 302
    assert OrganizationDomain.objects.get().host == "claim.xn--mller-kva.example"
    assert Event.objects.get().kind == "domain.added"


@pytest.mark.parametrize(
    "host",
    [
        "https://claim.example.com",
        "claim.example.com/c",
        "claim.example.com:8443",
        "me@claim.example.com",
        "claim.example.com.",
        "127.0.0.1",
        "[::1]",
        "0x7f.1",
        "2130706433",
        "127.1",
        "localhost2",
        "dev.localhost",
        "-a.example",
        "a_b.example",
        "a..example",
        "*.example.com",
        ".example.com",
        "faß.example",
        "a b.example",
        "x" * 64 + ".example",
        "a." * 130 + "example",
        "",
        "\u202e.example",
        "claim.example.com#x",
        "claim\\.example",
    ],
)
def test_anything_but_a_host_name_is_refused(owner, host):
    response = owner.post(reverse("console:domain_list"), {"host": host, "x": "1"})
    assert response.status_code == 422
    assert response.context["form"].errors["host"]
    assert not OrganizationDomain.objects.exists()


@pytest.mark.parametrize("host", ["localhost", "CLAIM.example.com", "xn--mller-kva.example", "a-b.c1.example"])
def test_host_names_are_taken(host):
    assert hosts.parse(host) == host.lower()


def test_a_domain_belongs_to_one_organization_only(owner, other_organization):
    OrganizationDomain.objects.create(organization=other_organization, host="claim.example.com")
    response = owner.post(reverse("console:domain_list"), {"host": "claim.example.com"})
    assert response.status_code == 422
    assert response.context["form"].errors["host"] == ["This domain is already registered."]
    assert not Event.objects.exists()


def test_a_domain_is_removed(owner, organization):
    domain = OrganizationDomain.objects.create(organization=organization, host="claim.example.com")
    assert owner.post(reverse("console:domain_remove", args=[domain.pk])).status_code == 302
    assert not OrganizationDomain.objects.exists()
    assert Event.objects.get().subject_label == "claim.example.com"


def test_a_domain_that_a_profile_uses_stays(owner, organization):
    domain = OrganizationDomain.objects.create(organization=organization, host="claim.example.com")
    profile = ClaimProfile(organization=organization, slug="north", name="North", domain=domain)
    profile.set_keys()
    profile.save()
    claim_codes.make_for_profile(profile)
    response = owner.post(reverse("console:domain_remove", args=[domain.pk]))
    assert response.status_code == 409
    assert "Claim profiles use claim.example.com" in response.content.decode()
    assert OrganizationDomain.objects.exists()
    assert not Event.objects.exists()


def test_a_foreign_domain_does_not_exist(owner, other_organization):
    domain = OrganizationDomain.objects.create(organization=other_organization, host="claim.example.com")
    assert owner.post(reverse("console:domain_remove", args=[domain.pk])).status_code == 404
    assert OrganizationDomain.objects.exists()


def test_the_table_of_roles_is_that_of_the_code(client_for):
    response = client_for("viewer").get(reverse("console:role_list"))
    assert response.context["rows"] == [
        (permission.label, [permission in ROLES[role] for role in Role.values]) for permission in Permission
    ]
    assert len(response.context["roles"]) == 6


def test_members_who_may_not_edit_find_the_roles_behind_settings(client_for):
    html = client_for("viewer").get(reverse("console:home")).content.decode()
    assert f'href="{reverse("console:role_list")}"' in html
    assert f'href="{reverse("console:organization_edit")}"' not in html


def test_a_member_of_two_organizations_switches_between_them(owner, alice, other_organization):
    Member.objects.create(organization=other_organization, user=alice, role="viewer")
    assert owner.get(reverse("console:home")).context["actor"].organization.slug == "northlake"
    response = owner.post(reverse("console:organization_switch"), {"organization": "southridge"})
    assert response.status_code == 302
    actor = owner.get(reverse("console:home")).context["actor"]
    assert (actor.organization.slug, actor.role) == ("southridge", "viewer")


def test_nobody_switches_to_an_organization_of_others(owner, other_organization):
    assert owner.post(reverse("console:organization_switch"), {"organization": "southridge"}).status_code == 404
    assert owner.get(reverse("console:home")).context["actor"].organization.slug == "northlake"


def test_reading_the_page_of_switching_changes_nothing(owner, alice, other_organization):
    factories.make_customer(other_organization)
    assert owner.get(reverse("console:organization_switch"), {"organization": "southridge"}).url == "/"


def test_a_refused_host_says_why():
    with pytest.raises(Refused) as refusal:
        hosts.parse("10.0.0.1")
    assert refusal.value.code == "an_address"


def test_a_picture_whose_details_are_broken_is_refused_like_any_other(organization, alice):
    """The width in its EXIF data has a type that no width has, which the reader of pictures does not expect."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112], exif[0x0100] = 6, 7
    Image.new("RGB", (2, 2)).save(buffer, "JPEG", exif=exif)
    raw = buffer.getvalue()
    at = raw.find(b"\x01\x00\x00\x04")
    with pytest.raises(Refused) as refused:
        broken = io.BytesIO(raw[: at + 3] + b"\x02" + raw[at + 4 :])
        organizations.set_logo(organization, broken, by=factories.actor_of(alice))
    assert refused.value.code == "no_picture"
