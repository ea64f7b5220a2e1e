"""The first run: one code, one organization, one owner."""

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from console import keys
from console.actions import organizations
from console.errors import Refused
from console.models import Event, Member, Organization, User

pytestmark = pytest.mark.django_db
VALUES = {
    "organization": "Northlake Sensors",
    "name": "Alice Kemp",
    "email": "Alice@Northlake.example",
    "password": "correct horse battery",
    "time_zone": "Europe/Berlin",
    "requires_second_factor": "on",
}


@pytest.fixture
def code(tmp_path, settings) -> str:
    settings.DATA_DIR = tmp_path
    keys.make(tmp_path)
    return keys.read(tmp_path, keys.SETUP_FILE)


def test_an_empty_server_sends_everybody_to_the_first_run(client):
    for name in ("console:home", "console:account_edit", "devices:device_list"):
        assert client.get(reverse(name)).url == reverse("console:setup")


def test_the_code_from_the_address_is_in_the_form(client, code):
    response = client.get(reverse("console:setup"), {"code": code})
    assert response.status_code == 200
    assert response.context["form"]["code"].value() == code


def test_the_time_zone_of_the_browser_is_offered(client, code):
    client.cookies["custody_tz"] = "Europe%2FLisbon"
    assert client.get(reverse("console:setup")).context["form"]["time_zone"].value() == "Europe/Lisbon"


def test_the_right_code_makes_the_organization_and_signs_its_owner_in(client, code):
    response = client.post(reverse("console:setup"), {**VALUES, "code": code})
    assert response.status_code == 302
    organization, owner = Organization.objects.get(), User.objects.get()
    assert (organization.name, organization.slug, organization.time_zone) == (
        "Northlake Sensors",
        "northlake-sensors",
        "Europe/Berlin",
    )
    assert organization.requires_second_factor is True
    assert (owner.email, owner.name) == ("alice@northlake.example", "Alice Kemp")
    assert Member.objects.get().role == "owner"
    address = EmailAddress.objects.get()
    assert (address.email, address.verified, address.primary) == ("alice@northlake.example", True, True)
    event = Event.objects.get()
    assert (event.kind, event.actor_label) == ("organization.created", "Alice Kemp")
    assert client.get(reverse("console:home")).url == reverse("console:second_factor")


def test_without_the_second_step_the_owner_starts_at_once(client, code):
    client.post(
        reverse("console:setup"), {k: v for k, v in {**VALUES, "code": code}.items() if k != "requires_second_factor"}
    )
    assert Organization.objects.get().requires_second_factor is False
    assert client.get(reverse("console:home")).status_code == 200


@pytest.mark.parametrize("wrong", ["", "x", "ä", "\x01"])
def test_a_wrong_code_makes_nothing(client, code, wrong):
    response = client.post(reverse("console:setup"), {**VALUES, "code": wrong})
    assert response.status_code == 422
    assert "code" in response.context["form"].errors
    assert not Organization.objects.exists()
    assert not User.objects.exists()


def test_no_code_is_right_where_the_server_has_none(client, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    assert client.post(reverse("console:setup"), {**VALUES, "code": ""}).status_code == 422
    assert not Organization.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "1234567890123"),
        ("password", "alice@northlake.example"),
        ("email", "nobody"),
        ("time_zone", "Mars/Olympus"),
        ("organization", " "),
        ("name", "Al\u202eice"),
        ("organization", "x" * 121),
    ],
)
def test_a_bad_value_is_said_at_its_field_and_makes_nothing(client, code, field, value):
    response = client.post(reverse("console:setup"), {**VALUES, "code": code, field: value})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not User.objects.exists()


def test_a_password_keeps_its_spaces(client, code):
    client.post(reverse("console:setup"), {**VALUES, "code": code, "password": " correct horse battery "})
    assert User.objects.get().check_password(" correct horse battery ")


def test_after_the_first_run_the_page_is_gone(client, code, organization):
    assert client.get(reverse("console:setup"), {"code": code}).status_code == 404
    assert client.post(reverse("console:setup"), {**VALUES, "code": code}).status_code == 404
    assert list(Organization.objects.all()) == [organization]


def test_a_second_organization_is_not_founded(organization):
    with pytest.raises(Refused) as refusal:
        organizations.found(name="Southridge", owner_name="Charlie", email="c@s.example", password="x" * 12)
    assert refusal.value.code == "set_up_already"
    assert not User.objects.exists()


def test_guessing_the_code_does_not_lock_out_others(client, code):
    """It has 144 bits: there is nothing to slow down."""
    for _each in range(25):
        assert client.post(reverse("console:setup"), {**VALUES, "code": "wrong"}).status_code == 422
    assert not Organization.objects.exists()
    assert client.post(reverse("console:setup"), {**VALUES, "code": code}).status_code == 302
    assert Organization.objects.count() == 1


def test_slugs_are_made_from_names_and_are_unique(db):
    names = ["Ärger & Söhne", "Arger Sohne", "東京", "東京", "x" * 120]
    slugs = [organizations.make(name).slug for name in names]
    assert slugs == ["arger-sohne", "arger-sohne-2", "organization", "organization-2", "x" * 50]
