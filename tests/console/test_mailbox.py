"""The kept mails: for who has the key or runs the server, and for nobody else."""

import pytest
from django.core.mail import EmailMessage
from django.urls import reverse

from console import keys, mail
from console.models import OutgoingMail

pytestmark = pytest.mark.django_db
LIST = "/mail/"


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    settings.DATA_DIR, settings.MAIL_DIR, settings.MAIL_URL = tmp_path, tmp_path / "mail", ""
    keys.make(tmp_path)
    return tmp_path


@pytest.fixture
def key(folder) -> str:
    return keys.read(folder, keys.MAILBOX_FILE)


def keep(subject: str, text: str, to: str = "dana@aalen.example") -> None:
    message = EmailMessage(subject, text, "custody@localhost", [to]).message().as_bytes()
    mail.transmit(OutgoingMail.objects.create(recipient=to, message=message))


def test_the_key_opens_the_mails_for_this_browser(client, key):
    keep("Sign-in code", "Your code:\n\n314159\n\nhttp://localhost:8000/c/")
    assert client.get(reverse("console:mail_open", args=[key])).url == LIST
    html = client.get(LIST).content.decode()
    assert '<span class="typed-code">314159</span>' in html
    assert '<a href="http://localhost:8000/c/" rel="nofollow">' in html


@pytest.mark.parametrize("wrong", ["x", "ä", "%00"])
def test_a_wrong_key_opens_nothing(client, wrong):
    assert client.get(f"/mail/{wrong}/").status_code in {400, 404}
    assert client.get(LIST).status_code == 404


def test_no_key_fits_where_the_server_has_none(client, folder):
    (folder / "keys" / keys.MAILBOX_FILE).write_text("")
    assert client.get("/mail/x/").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("administrator", 200), ("support", 404), ("viewer", 404)]
)
def test_owners_and_administrators_can_read_stored_mail(client_for, role, status):
    assert client_for(role).get(LIST).status_code == status


def test_customers_and_strangers_do_not_read_them(client, client_for, dana):
    assert client.get(LIST).status_code == 404
    assert client_for(dana).get(LIST).status_code == 404


def test_the_owner_of_one_organization_does_not_read_the_codes_of_another(client_for, alice, other_organization):
    assert client_for(alice).get(LIST).status_code == 404


def test_an_owner_without_the_second_step_does_not_read_them(client_for, alice, organization):
    organization.requires_second_factor = True
    organization.save(update_fields=["requires_second_factor"])
    assert client_for(alice).get(LIST).status_code == 404


def test_with_a_mail_server_nothing_is_there(client, client_for, key, settings):
    settings.MAIL_URL = "smtp://mail.example"
    assert client.get(reverse("console:mail_open", args=[key])).status_code == 404
    assert client_for("owner").get(LIST).status_code == 404


def test_the_newest_mail_comes_first_and_the_page_asks_for_newer_ones_only(client, key):
    keep("First", "one")
    keep("Second", "two 12345678 2026-11-22 123456")
    client.get(reverse("console:mail_open", args=[key]))
    mails = client.get(LIST).context["mails"]
    assert [each["subject"] for each in mails] == ["Second", "First"]
    assert [each["code"] for each in mails] == ["123456", ""]
    htmx = {"HX-Request": "true", "HX-Target": "mails"}
    assert client.get(LIST, {"have": mails[0]["name"]}, headers=htmx).status_code == 204
    response = client.get(LIST, {"have": mails[1]["name"]}, headers=htmx)
    assert response.status_code == 200
    assert "<html" not in response.content.decode()


def test_a_mail_is_text_and_never_markup(client, key):
    keep("<script>alert(1)</script>", '<img src=x onerror=alert(1)> https://x.example/"><script>')
    client.get(reverse("console:mail_open", args=[key]))
    html = client.get(LIST).content.decode()
    assert "<script>alert" not in html
    assert "<img" not in html
    assert '"><script>' not in html


def test_guessing_the_key_does_not_lock_out_others(client, key):
    """It has 144 bits: there is nothing to slow down."""
    for _each in range(65):
        assert client.get("/mail/wrong/").status_code == 404
    assert client.get(reverse("console:mail_open", args=[key])).status_code == 302
