"""The pages for what went wrong say what to do next, and need nothing that may be broken."""

import pytest
from django.test import Client
from django.urls import reverse

from console.errors import Refused, answer

pytestmark = pytest.mark.django_db


def test_a_missing_permission_is_named_with_people_who_can_help(client_for, alice):
    response = client_for("viewer").get(reverse("console:organization_edit"))
    html = response.content.decode()
    assert response.status_code == 403
    assert "Edit the organization, its brand and domains" in html
    assert "Alice Kemp" in html


def test_a_customer_in_the_console_is_shown_to_the_portal(client_for, dana):
    response = client_for(dana).get("/devices/")
    assert response.status_code == 403
    assert reverse("portal:home") in response.content.decode()


def test_htmx_gets_a_notice_in_place_of_a_page(client_for):
    response = client_for("viewer").post(reverse("console:organization_edit"), headers={"HX-Request": "true"})
    assert response.status_code == 403
    assert response["HX-Retarget"] == "#notices"
    assert "<html" not in response.content.decode()


def test_the_signed_out_are_sent_to_sign_in_by_htmx_too(client, organization):
    response = client.get("/devices/", headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (204, "/account/login/?next=/devices/")


@pytest.mark.parametrize(
    "path", ["/nope/", "/devices/999999/", "/settings/members/99999999999999999/", "/nope/%F0%9F%98%80/"]
)
def test_a_missing_page_gets_an_error_page(client_for, path):
    response = client_for("owner").get(path)
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_a_stranger_gets_the_page_without_the_console(client, organization):
    html = client.get("/nope/").content.decode()
    assert "Page not found" in html
    assert "/settings/" not in html


def test_an_outdated_form_gets_an_explanation(alice):
    client = Client(enforce_csrf_checks=True)
    response = client.post(reverse("account_login"), {"login": alice.email, "password": "x"})
    assert response.status_code == 403
    assert "Your session has expired" in response.content.decode()


def test_a_broken_page_answers_without_database_or_session(client, monkeypatch, organization):
    def broken(request):
        raise RuntimeError("password=secret")

    monkeypatch.setattr("console.server.health.checks", lambda: 1 / 0)
    client.raise_request_exception = False
    response = client.get("/readyz")
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()
    assert "division" not in response.content.decode()


def test_a_broken_page_answers_even_without_static_files(rf, settings):
    from console.views.errors import server_error

    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    settings.STATIC_ROOT = "/nonexistent"
    assert server_error(rf.get("/")).status_code == 500


def test_a_refusal_is_a_page_a_notice_or_a_document(rf, organization):
    refusal = Refused("already_owned", "This device has an owner.")
    page = answer(rf.get("/devices/1/"), refusal)
    assert page.status_code == 409
    assert "This device has an owner." in page.content.decode()
    document = answer(rf.get("/", headers={"accept": "application/json"}), refusal)
    assert document["Content-Type"] == "application/problem+json"


def test_a_null_byte_is_a_bad_request(client):
    assert client.get("/search/?q=%00").status_code == 400
    assert client.get("/devices/%00/").status_code == 400


def test_too_many_sign_ins_take_a_pause(client, alice, settings):
    """The sign-in library's own limits, of what a signed-in person does."""
    settings.ACCOUNT_RATE_LIMITS = {"change_password": "1/m/user"}
    client.force_login(alice, "allauth.account.auth_backends.AuthenticationBackend")
    client.post(reverse("account_change_password"), {"oldpassword": "x"})
    response = client.post(reverse("account_change_password"), {"oldpassword": "x"})
    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()
