"""Signing in: password, code, second step, passkey, new password, and a person's own page."""

import json
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.urls import reverse

from console.models import User
from console.people.actions import accounts
from console.people.adapters import MfaAdapter
from tests import factories, forms

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
DESTINATIONS = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "http:evil.example",
    "https:///evil.example",
    "\thttps://evil.example",
]


def sign_in(client, user, password=PASSWORD, **more):
    return client.post(reverse("account_login"), {"login": user.email, "password": password, **more})


def code_of(secret: str) -> str:
    counter = int(time.time()) // 30
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


@pytest.fixture
def secret(bob) -> str:
    """Bob has an authenticator app."""
    value = totp.generate_totp_secret()
    totp.TOTP.activate(bob, value)
    return value


@pytest.fixture
def strict(organization):
    organization.requires_second_factor = True
    organization.save(update_fields=["requires_second_factor"])


def test_a_member_signs_in_with_a_password(client, bob):
    response = sign_in(client, bob)
    assert (response.status_code, response.url) == (302, "/")
    assert client.get("/").status_code == 200


def test_an_address_is_taken_in_any_case(client, bob):
    response = client.post(reverse("account_login"), {"login": "BOB@Northlake.EXAMPLE", "password": PASSWORD})
    assert response.status_code == 302


def test_a_wrong_password_and_an_unknown_address_read_alike(client, bob):
    wrong = sign_in(client, bob, "nope")
    unknown = client.post(reverse("account_login"), {"login": "who@northlake.example", "password": "nope"})
    assert wrong.context["form"].non_field_errors() == unknown.context["form"].non_field_errors()
    assert wrong.status_code == unknown.status_code == 200
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_signing_in_leads_nowhere_else(client, bob, destination):
    assert sign_in(client, bob, next=destination).url == "/"


def test_signing_in_leads_back(client, bob):
    asked = client.get("/activity/?q=x").url
    assert asked == "/account/login/?next=/activity/%3Fq%3Dx"
    assert sign_in(client, bob, next="/activity/?q=x").url == "/activity/?q=x"


def test_the_session_is_another_one_after_signing_in(client, bob):
    client.get(reverse("account_login"))
    session = client.session
    session["kept"] = 1
    session.save()
    before = session.session_key
    sign_in(client, bob)
    assert client.session.session_key != before


def test_people_with_two_factor_authentication_are_asked_for_the_second_factor(client, bob, secret):
    assert sign_in(client, bob).url == reverse("mfa_authenticate")
    assert client.get("/").status_code == 302
    assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    assert client.get("/").status_code == 302
    assert client.post(reverse("mfa_authenticate"), {"code": code_of(secret)}).status_code == 302
    assert client.get("/").status_code == 200


def test_a_code_by_mail_does_not_go_around_the_second_step(client, bob, secret):
    client.post(reverse("account_request_login_code"), {"email": bob.email})
    code = re.search(r"\b\d{6}\b", mail.outbox[0].body)[0]
    response = client.post(reverse("account_confirm_login_code"), {"code": code})
    assert response.url == reverse("mfa_authenticate")
    assert client.get("/").status_code == 302


def test_a_new_password_does_not_go_around_the_second_step(client, bob, secret):
    client.post(reverse("account_reset_password"), {"email": bob.email})
    path = re.search(r"http://localhost:8000(/account/password/reset/key/\S+)", mail.outbox[0].body)[1]
    form = client.get(path).url
    client.post(form, {"password1": "another horse battery", "password2": "another horse battery"})
    assert client.get("/").status_code == 302
    assert sign_in(client, bob, "another horse battery").url == reverse("mfa_authenticate")


def test_a_member_without_the_second_step_opens_no_page_of_the_console(client, bob, strict):
    sign_in(client, bob)
    for path in ("/", "/devices/", "/customers/", "/activity/", "/search/?q=a", "/settings/roles/", "/claim-profiles/"):
        assert client.get(path).url == reverse("console:second_factor"), path
    page = client.get(reverse("console:second_factor"))
    assert page.status_code == 200
    assert "/devices/" not in page.content.decode()
    assert "/devices/" not in client.get(reverse("mfa_index")).content.decode()


@pytest.mark.django_db(transaction=True)
def test_setting_up_an_app_opens_the_console_at_once(client, bob, strict):
    sign_in(client, bob)
    page = client.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200
    response = client.post(reverse("mfa_activate_totp"), {"code": code_of(page.context["form"].secret)})
    assert response.url == reverse("mfa_view_recovery_codes")
    assert len(client.get(response.url).context["unused_codes"]) == 10
    assert client.get("/devices/").status_code == 200
    assert client.get(reverse("console:second_factor")).url == "/"
    assert mail.outbox[-1].subject == "Authenticator app set up"


def test_a_recovery_code_signs_in_once(client, bob, secret):
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    code = RecoveryCodes.activate(bob).get_unused_codes()[0]
    sign_in(client, bob)
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 302
    client.logout()
    sign_in(client, bob)
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 200
    assert client.get("/").status_code == 302


def test_a_passkey_is_offered_and_belongs_to_the_host_of_the_base_url(client, bob):
    assert 'data-passkey="login"' in client.get(reverse("account_login")).content.decode()
    answer = client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})
    assert json.loads(answer.content)["request_options"]["publicKey"]["rpId"] == "localhost"
    sign_in(client, bob)
    page = client.get(reverse("mfa_add_webauthn"))
    assert page.context["js_data"]["creation_options"]["publicKey"]["rp"] == {"id": "localhost", "name": "Custody"}


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "x", '{"response": {}}', '{"response": {"userHandle": "x"}}', "null"]
)
def test_a_forged_passkey_does_not_sign_in(client, bob, credential):
    client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})
    response = client.post(reverse("mfa_login_webauthn"), {"credential": credential})
    assert response.status_code == 302
    assert client.get("/").url.startswith("/account/login/")


def test_passkeys_have_names(bob):
    assert MfaAdapter().generate_authenticator_name(bob, Authenticator.Type.WEBAUTHN) == "Passkey"
    Authenticator.objects.create(user=bob, type="webauthn", data={})
    assert MfaAdapter().generate_authenticator_name(bob, Authenticator.Type.WEBAUTHN) == "Passkey 2"


def test_a_mailed_link_gives_a_new_password_once(client, bob):
    client.post(reverse("account_reset_password"), {"email": bob.email}, headers={"host": "127.0.0.1"})
    path = re.search(r"http://localhost:8000(/account/password/reset/key/\S+)", mail.outbox[0].body)[1]
    form = client.get(path).url
    assert client.post(form, {"password1": "short", "password2": "short"}).status_code == 200
    response = client.post(form, {"password1": "another horse battery", "password2": "another horse battery"})
    assert response.url == reverse("account_reset_password_from_key_done")
    bob.refresh_from_db()
    assert bob.check_password("another horse battery")
    assert "This link no longer works" in client.get(path, follow=True).content.decode()


def test_a_password_reset_does_not_reveal_whether_an_account_exists(client, bob):
    known = client.post(reverse("account_reset_password"), {"email": bob.email})
    unknown = client.post(reverse("account_reset_password"), {"email": "who@northlake.example"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert [message.to for message in mail.outbox] == [[bob.email], ["who@northlake.example"]]


def test_nobody_signs_up_by_a_form(client, organization):
    data = {"email": "who@northlake.example", "password1": PASSWORD}
    assert "You can’t sign up here" in client.get(reverse("account_signup")).content.decode()
    client.post(reverse("account_signup"), data)
    assert not User.objects.exists()


def test_signing_out_takes_a_post(client, bob):
    sign_in(client, bob)
    assert client.get(reverse("account_logout")).status_code == 200
    assert client.get("/").status_code == 200
    client.post(reverse("account_logout"))
    assert client.get("/").status_code == 302


def test_an_address_is_only_added_once_it_is_verified(client, bob, dana):
    sign_in(client, bob)
    response = client.post(reverse("account_email"), {"action_add": "", "email": dana.email})
    assert response.status_code == 200
    assert list(bob.emailaddress_set.values_list("email", flat=True)) == [bob.email]


def test_a_person_edits_name_language_and_zone(client, bob):
    sign_in(client, bob)
    data = {"name": "Robert Adeyemi", "language": "de", "time_zone": "Asia/Tokyo"}
    assert forms.edit(client, reverse("console:account_edit"), **data).status_code == 302
    bob.refresh_from_db()
    assert (bob.name, bob.language, bob.time_zone) == ("Robert Adeyemi", "de", "Asia/Tokyo")
    assert client.cookies["custody_language"].value == "de"
    assert 'lang="de"' in client.get(reverse("console:account_edit")).content.decode()


def test_the_language_of_the_account_is_that_of_a_new_browser(client, bob):
    accounts.edit(bob, name="Bob", language="de", time_zone="")
    sign_in(client, bob)
    assert 'lang="de"' in client.get(reverse("mfa_index")).content.decode()
    client.cookies["custody_language"] = "en"
    assert 'lang="en"' in client.get(reverse("mfa_index")).content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("language", "xx"), ("time_zone", "Mars"), ("name", "a\u202eb")]
)
def test_a_bad_value_of_the_account_is_said_at_its_field(client, bob, field, value):
    sign_in(client, bob)
    data = {"name": "Bob", "language": "", "time_zone": "", field: value}
    response = forms.edit(client, reverse("console:account_edit"), **data)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]


def test_the_pages_of_the_person_are_there_for_customers_without_the_console(client_for, dana):
    client = client_for(dana)
    for name in ("console:account_edit", "mfa_index", "account_set_password", "account_email"):
        response = client.get(reverse(name))
        assert response.status_code == 200, name
        assert "/settings/" not in response.content.decode()


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_signup",
        "account_reset_password",
        "account_reset_password_done",
        "account_inactive",
        "account_reset_password_from_key_done",
        "account_email_verification_sent",
        "account_request_login_code",
    ],
)
def test_pages_before_sign_in_are_ours(client, organization, name):
    html = client.get(reverse(name)).content.decode()
    assert "tokens" in html
    assert "<script>" not in html


@pytest.mark.parametrize(
    "name",
    [
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_list_webauthn",
        "mfa_generate_recovery_codes",
        "account_change_password",
        "account_reauthenticate",
        "account_email",
        "account_logout",
    ],
)
def test_pages_of_the_signed_in_person_are_ours(client, bob, secret, name):
    sign_in(client, bob)
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    response = client.get(reverse(name), follow=True)
    assert response.status_code == 200
    assert "tokens" in response.content.decode()


def test_an_account_is_created_for_a_new_address_and_found_for_a_known_one(db):
    made = accounts.find_or_make("New@Example.com")
    assert made.email == "new@example.com"
    assert not made.has_usable_password()
    assert accounts.find_or_make("new@example.com") == made


def test_an_address_that_folds_into_another_one_finds_nobody(db):
    factories.User.objects.create_user("a@strasse.example")
    assert accounts.find_or_make("a@stra\u00dfe.example") is None
    assert accounts.find_or_make("\uff41@strasse.example") is None
    assert User.objects.count() == 1


def test_a_closed_account_is_not_found(db):
    User.objects.create_user("gone@example.com", is_active=False)
    assert accounts.find_or_make("gone@example.com") is None


def test_mail_names_the_base_url_and_no_other_host(client, bob):
    client.post(reverse("account_reset_password"), {"email": bob.email}, headers={"host": "127.0.0.1"})
    assert "127.0.0.1" not in mail.outbox[0].body
    assert "http://localhost:8000" in mail.outbox[0].body
