"""Email addresses with domains beyond ASCII: compared in one form, and written in ASCII on the envelope."""

import importlib

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core import mail as outbox
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from console import addresses, mail
from console.models import Invitation, OutgoingMail, User
from console.people.actions import accounts
from tests import factories
from tests.console.test_mail import mail_server, work, write

# A fixture, by a name of its own.
server = mail_server
LETTERS = "juergen@mü-wärme.example"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Dana@Aalen.EXAMPLE", "dana@aalen.example"),
        ("juergen@MÜ-WÄRME.example", LETTERS),
        ("juergen@mu\u0308-wa\u0308rme.example", LETTERS),
        ("Juergen@" + "mü-wärme.example".encode("idna").decode().upper(), LETTERS),
        ("a@b\u3002example", "a@b.example"),
        ("a@b\uff0eexample", "a@b.example"),
        # What can't be written in letters and back stays as it is: of IDNA 2008, or no punycode at all.
        ("a@xn--strae-oqa.example", "a@xn--strae-oqa.example"),
        ("a@xn--\u00fc.example", "a@xn--ü.example"),
        ("a@xn--.example", "a@xn--.example"),
        ("nothing", "nothing"),
        ("@", "@"),
    ],
)
def test_an_address_has_one_form_however_its_domain_is_written(text, normal):
    assert addresses.normal(text) == normal
    assert addresses.normal(normal) == normal


def test_the_envelope_is_ascii():
    assert addresses.envelope(LETTERS) == "juergen@" + "mü-wärme.example".encode("idna").decode()
    assert addresses.envelope("Dana@aalen.example") == "Dana@aalen.example"
    with pytest.raises(ValueError, match="not plain ASCII"):
        addresses.envelope("jürgen@aalen.example")
    with pytest.raises(ValueError, match="label"):
        addresses.envelope("a@" + "ü" * 63 + ".example")


@pytest.mark.parametrize(
    ("text", "is_twin"),
    [
        ("a@strasse.example", False),
        (LETTERS, False),
        ("A@MÜ.example", False),
        ("a@mu\u0308.example", False),
        ("a@stra\u00dfe.example", True),
        ("\uff41@strasse.example", True),
        ("a@\u017ftrasse.example", True),
    ],
)
def test_a_twin_is_what_folds_into_another_address(text, is_twin):
    assert addresses.is_twin(text) == is_twin


@pytest.mark.django_db
def test_a_mail_to_a_domain_beyond_ascii_reaches_the_server(server, settings):
    settings.EMAIL_BACKEND = "console.mail.OutboxBackend"
    row = write(to=LETTERS)
    work()
    row.refresh_from_db()
    assert row.error == ""
    assert row.sent_at is not None
    name = "mü-wärme.example".encode("idna")
    assert server.recipients == [b"RCPT TO:<JUERGEN@" + name.upper() + b">"]
    assert b"To: juergen@" + name in server.texts[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "recipient", ["jürgen@aalen.example", "a@" + "ü" * 63 + ".example", "a\0b@c.example", "\udcff@c"]
)
def test_a_mail_that_can_t_be_sent_says_so_on_its_row_and_holds_up_no_other(recipient, server, settings, monkeypatch):
    settings.EMAIL_BACKEND = "console.mail.OutboxBackend"
    bad, good = write(), write(to="erin@hallberg.example")
    honest = mail.transmit

    def transmit(row: OutgoingMail) -> None:
        row.recipient = recipient if row.pk == bad.pk else row.recipient
        honest(row)

    monkeypatch.setattr(mail, "transmit", transmit)
    work()
    for row in (bad, good):
        row.refresh_from_db()
    assert good.sent_at is not None
    assert (bad.sent_at, bad.attempts) == (None, 1)
    assert bad.error
    assert "\0" not in bad.error


@pytest.mark.django_db
def test_an_error_of_any_kind_is_noted_and_tried_again(monkeypatch, settings):
    settings.EMAIL_BACKEND = "console.mail.OutboxBackend"
    row = write()

    def fail(row: OutgoingMail) -> None:
        raise UnicodeEncodeError("ascii", "\udcffü\0", 0, 1, "told \0 with \udcff")

    monkeypatch.setattr(mail, "transmit", fail)
    work()
    row.refresh_from_db()
    assert row.attempts == 1
    assert "told" in row.error
    monkeypatch.undo()
    settings.EMAIL_BACKEND = "console.mail.OutboxBackend"
    work()
    row.refresh_from_db()
    assert row.sent_at is not None


@pytest.mark.django_db
def test_a_person_signs_in_with_either_form_and_has_one_account(client, organization):
    user = User.objects.create_user("Juergen@" + "mü-wärme.example".encode("idna").decode(), "correct horse battery")
    assert user.email == LETTERS
    assert accounts.find_or_make(LETTERS) == user
    for typed in (LETTERS, ASCII_FORM, LETTERS.upper()):
        client.logout()
        answer = client.post(reverse("account_login"), {"login": typed, "password": "correct horse battery"})
        assert answer.status_code == 302, typed
        client.logout()
        client.post(reverse("account_request_login_code"), {"email": typed})
        assert outbox.outbox[-1].to == [LETTERS]
        assert outbox.outbox[-1].subject[:6].isdigit()
        client.post(reverse("account_reset_password"), {"email": typed})
        assert outbox.outbox[-1].subject == outbox.outbox[-1].subject
        assert outbox.outbox[-1].to == [LETTERS]


ASCII_FORM = "juergen@" + "mü-wärme.example".encode("idna").decode()


@pytest.mark.django_db
def test_the_page_shows_the_same_of_a_known_and_an_unknown_address_in_ascii(client, organization):
    User.objects.create_user(LETTERS)
    client.post(reverse("account_request_login_code"), {"email": ASCII_FORM})
    assert LETTERS in client.get(reverse("account_confirm_login_code")).content.decode()
    client.logout()
    client.post(reverse("account_request_login_code"), {"email": ASCII_FORM.replace("juergen", "who")})
    assert "who@mü-wärme.example" in client.get(reverse("account_confirm_login_code")).content.decode()


@pytest.mark.django_db
def test_an_invitation_to_one_form_of_an_address_is_accepted_with_the_other(client_for, organization):
    owner = client_for("owner")
    owner.post(reverse("console:invitation_create"), {"email": ASCII_FORM, "role": "viewer"})
    invitation = Invitation.objects.get()
    assert invitation.email == LETTERS
    factories.make_member(organization, "viewer", LETTERS)
    answer = owner.post(reverse("console:invitation_create"), {"email": ASCII_FORM, "role": "viewer"})
    assert answer.status_code == 422
    assert "is already a member" in answer.content.decode()


@pytest.mark.django_db
def test_addresses_from_before_are_brought_into_the_normal_form(organization):
    user = User.objects.create_user("x@aalen.example")
    User.objects.filter(pk=user.pk).update(email=ASCII_FORM)
    EmailAddress.objects.create(user=user, email=ASCII_FORM)
    Invitation.objects.create(
        organization=organization, email=ASCII_FORM, role="viewer", token_sha256="1" * 64, expires_at=timezone.now()
    )
    both = User.objects.create_user("both@mü.example")
    double = User.objects.create_user("z@aalen.example")
    User.objects.filter(pk=double.pk).update(email="both@" + "mü.example".encode("idna").decode())
    migration = importlib.import_module("console.migrations.0013_addresses_are_in_their_normal_form")
    with transaction.atomic():
        migration.normalise(apps, None)
    assert (
        User.objects.get(pk=user.pk).email
        == EmailAddress.objects.get().email
        == Invitation.objects.get().email
        == LETTERS
    )
    assert User.objects.get(pk=both.pk).email != User.objects.get(pk=double.pk).email
