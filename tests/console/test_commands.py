"""What an operator types."""

import re

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from console import ledger_check
from console.models import Event, Invitation, Member, Organization

pytestmark = pytest.mark.django_db


def test_a_further_organization_gets_its_owner_by_invitation(client, organization, capsys):
    call_command("create_organization", "Southridge Ltd", owner="Charlie@Southridge.example")
    made = Organization.objects.exclude(pk=organization.pk).get()
    assert (made.name, made.slug, made.requires_second_factor) == ("Southridge Ltd", "southridge-ltd", True)
    printed = capsys.readouterr().out
    link = re.search(r"http://localhost:8000/invitation/\S+/", printed)[0]
    assert link in mail.outbox[0].body
    assert mail.outbox[0].to == ["charlie@southridge.example"]
    client.get(link.removeprefix("http://localhost:8000"))
    client.post("/invitation/accept/", {"name": "Charlie", "password": "correct horse battery"})
    assert Member.objects.get().role == "owner"
    assert list(Event.objects.order_by("pk").values_list("kind", "organization")) == [
        ("organization.created", made.pk),
        ("member.invited", made.pk),
        ("member.joined", made.pk),
    ]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("", "a@b.example"),
        (" ", "a@b.example"),
        ("x" * 121, "a@b.example"),
        ("Ok", "nobody"),
        ("a\u200bb", "a@b.example"),
    ],
)
def test_a_bad_name_or_address_makes_nothing(db, name, owner):
    with pytest.raises(CommandError):
        call_command("create_organization", name, owner=owner)
    assert not Organization.objects.exists()
    assert not Invitation.objects.exists()
    assert mail.outbox == []


def test_a_ledger_that_agrees_says_so(capsys, device):
    call_command("check_ledger")
    assert capsys.readouterr().out == "The ledger and its derived values agree.\n"


def test_a_ledger_that_differs_prints_where_and_fails(capsys, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(CommandError, match="2 places"):
        patch.setattr(ledger_check.checks, "entries", [(0, two_problems)])
        call_command("check_ledger")
    assert capsys.readouterr().out == "one\ntwo\n"


def two_problems() -> list[str]:
    return ["one", "two"]
