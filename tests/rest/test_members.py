"""Members and invitations over REST: a key gives, changes and takes only what it has itself."""

import pytest
from django.core import mail

from console.access import ROLES, Permission, system
from console.errors import Refused
from console.models import Event, Invitation, Member, Role
from console.people.actions import members
from customers.models import ApiKey
from tests import factories
from tests.api import Caller, key_of

pytestmark = pytest.mark.django_db

P = Permission


@pytest.fixture
def caller(alice):
    return Caller(key_of(alice))


@pytest.fixture
def weak(alice):
    """A key of an owner that manages members and may else only see."""
    return Caller(key_of(alice, P.VIEW, P.MEMBER_MANAGE))


@pytest.fixture
def row():
    return lambda user: Member.objects.get(user=user)


def test_members_are_listed_and_seen(caller, alice, bob, charlie, row):
    answer = caller.get("/members").json()
    assert [(m["name"], m["email"], m["role"], m["has_second_factor"]) for m in answer["results"]] == [
        ("Bob Adeyemi", "bob@northlake.example", "support", False),
        ("Alice Kemp", "alice@northlake.example", "owner", False),
    ]
    assert caller.get(f"/members/{row(bob).pk}").json() == answer["results"][0]
    assert caller.get(f"/members/{row(charlie).pk}").status_code == 404


def test_a_role_is_changed_and_a_member_removed(caller, bob, row, client_for):
    at = f"/members/{row(bob).pk}"
    answer = caller.patch(at, {"role": "fulfilment"})
    assert (answer.status_code, answer.json()["role"]) == (200, "fulfilment")
    assert caller.patch(at, {}).json()["role"] == "fulfilment"
    event = Event.objects.get(kind="member.edited")
    assert (event.data, event.actor_label) == ({"role": ["support", "fulfilment"]}, "Alice Kemp (Line 3)")
    assert caller.delete(at).status_code == 204
    assert caller.get(at).status_code == 404
    assert client_for(bob).get("/devices/").status_code == 403


def test_nobody_s_key_changes_himself_and_the_last_owner_stays(caller, alice, bob, row):
    for answer in (
        caller.patch(f"/members/{row(alice).pk}", {"role": "viewer"}),
        caller.delete(f"/members/{row(alice).pk}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "oneself")
    row(bob).delete()
    assert (row(alice).role, row(alice).removed_at) == ("owner", None)


def test_an_invitation_is_mailed_and_its_link_is_in_the_mail_alone(caller, organization):
    answer = caller.post("/invitations", {"email": "Kim@Example.com", "role": "support"})
    invitation = Invitation.objects.get()
    said = answer.json()
    assert (answer.status_code, said["id"], said["email"], said["role"], said["invited_by"], said["is_open"]) == (
        201,
        invitation.pk,
        "kim@example.com",
        "support",
        "Alice Kemp",
        True,
    )
    link = next(word for word in mail.outbox[0].body.split() if word.startswith("http"))
    token = link.rstrip("/:").rsplit("/", 1)[1]
    assert members.find_open(token) == invitation
    assert token not in str(said)
    assert invitation.token_sha256 not in str(said)
    assert caller.get("/invitations").json()["results"] == [said]
    assert caller.delete(f"/invitations/{invitation.pk}").status_code == 204
    assert caller.delete(f"/invitations/{invitation.pk}").status_code == 404
    assert members.find_open(token) is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "nobody", "role": "viewer"}, 422),
        ({"email": "bob@northlake.example", "role": "viewer"}, 422),
        ({"email": "kim@example.com", "role": "king"}, 400),
        ({"email": "kim@example.com"}, 400),
        ({"email": "kim@" + "ß" * 124 + ".de", "role": "viewer"}, 422),
    ],
)
def test_a_bad_invitation_invites_nobody(caller, bob, body, status):
    assert caller.post("/invitations", body).status_code == status
    assert (Invitation.objects.count(), len(mail.outbox)) == (0, 0)


def test_invitations_are_limited(caller, monkeypatch):
    monkeypatch.setattr("console.throttle.spend", _too_many)
    answer = caller.post("/invitations", {"email": "kim@example.com", "role": "viewer"})
    assert (answer.status_code, Invitation.objects.count()) == (429, 0)


def _too_many(scope, who, **_limits):
    raise Refused("too_many_tries", "Too many tries. Wait.", status=429)


def attempts(caller, organization):
    """What a key could try in order to have more than it has, each as (answer, was it in vain)."""
    head = Member.objects.get(user=factories.make_member(organization, "administrator"))
    aide = Member.objects.get(user=factories.make_member(organization, "viewer"))
    open_ = members.invite("head@example.com", "administrator", by=system(organization))[0]
    for role in ("support", "administrator", "owner"):
        answer = caller.post("/invitations", {"email": f"{role}@evil.example", "role": role})
        yield answer, not Invitation.objects.filter(email=f"{role}@evil.example").exists()
        answer = caller.patch(f"/members/{aide.pk}", {"role": role})
        yield answer, Member.objects.get(pk=aide.pk).role == "viewer"
    answer = caller.patch(f"/members/{head.pk}", {"role": "viewer"})
    yield answer, Member.objects.get(pk=head.pk).role == "administrator"
    answer = caller.delete(f"/members/{head.pk}")
    yield answer, Member.objects.get(pk=head.pk).removed_at is None
    answer = caller.delete(f"/invitations/{open_.pk}")
    yield answer, Invitation.objects.get(pk=open_.pk).is_open
    answer = caller.post("/invitations", {"email": "head@example.com", "role": "viewer"})
    yield answer, Invitation.objects.get(pk=open_.pk).is_open


def test_a_key_neither_gives_nor_takes_a_role_that_may_do_more_than_the_key(weak, organization):
    tried = [(answer.status_code, answer.json()["code"], in_vain) for answer, in_vain in attempts(weak, organization)]
    assert tried == [(403, "role_not_yours", True)] * 10
    assert not Event.objects.filter(kind__in=["member.edited", "member.removed"]).exists()
    assert [len(m.to) for m in mail.outbox if "evil" in m.to[0]] == []


def test_without_the_guard_such_a_key_would_make_owners(weak, organization, monkeypatch):
    """The negative control: what the guard alone holds back."""
    monkeypatch.setattr(members, "_must_have", lambda role, by: None)
    tried = [in_vain for _answer, in_vain in attempts(weak, organization)]
    assert not any(tried)


def test_a_key_with_a_scope_less_than_a_role_does_not_give_it(alice, bob, organization, row):
    for role, rights in ROLES.items():
        for missing in rights - {P.VIEW, P.MEMBER_MANAGE}:
            scopes = (rights | {P.VIEW, P.MEMBER_MANAGE}) - {missing}
            by = factories.actor_of(alice)
            by = type(by)(**{**vars(by), "permissions": frozenset(scopes)})
            with pytest.raises(Refused) as refusal:
                members.invite("kim@example.com", role, by=by)
            assert refusal.value.code == "role_not_yours"
    assert not Invitation.objects.exists()


def test_a_key_gives_the_roles_that_lie_within_it(alice, bob, weak, row):
    assert weak.post("/invitations", {"email": "kim@example.com", "role": "viewer"}).status_code == 201
    strong = Caller(key_of(alice, P.MEMBER_MANAGE, *ROLES["support"]))
    assert strong.patch(f"/members/{row(bob).pk}", {"role": "viewer"}).status_code == 200
    assert strong.patch(f"/members/{row(bob).pk}", {"role": "support"}).status_code == 200
    assert strong.patch(f"/members/{row(bob).pk}", {"role": "fulfilment"}).json()["code"] == "role_not_yours"
    assert row(bob).role == "support"


def test_the_key_of_an_administrator_makes_no_owner_with_any_scope(organization, bob, row, alice):
    head = factories.make_member(organization, "administrator")
    caller = Caller(key_of(head))
    assert caller.patch(f"/members/{row(bob).pk}", {"role": "owner"}).json()["code"] == "owners_only"
    assert caller.post("/invitations", {"email": "kim@example.com", "role": "owner"}).json()["code"] == "owners_only"
    assert caller.delete(f"/members/{row(alice).pk}").json()["code"] == "owners_only"
    assert (row(bob).role, row(alice).removed_at, Invitation.objects.count()) == ("support", None, 0)


@pytest.mark.parametrize("role", [r for r in Role.values if P.MEMBER_MANAGE in ROLES[r]])
def test_in_the_console_the_rule_holds_always(role):
    assert all(rights <= ROLES[role] for rights in ROLES.values())


def test_a_member_who_leaves_has_no_open_invitations_of_their_keys_left(caller, organization, alice):
    head = factories.make_member(organization, "administrator")
    Caller(key_of(head)).post("/invitations", {"email": "friend@evil.example", "role": "viewer"})
    invitation = Invitation.objects.get()
    assert invitation.is_open
    assert caller.delete(f"/members/{Member.objects.get(user=head).pk}").status_code == 204
    invitation.refresh_from_db()
    assert not invitation.is_open
    assert ApiKey.objects.get(made_by=head).revoked_at is not None


def test_an_invitation_ends_only_with_the_key_that_created_it(alice, caller):
    leaked = key_of(alice, P.VIEW, P.MEMBER_MANAGE)
    key = ApiKey.objects.latest("pk")
    Caller(leaked).post("/invitations", {"email": "friend@evil.example", "role": "viewer"})
    caller.post("/invitations", {"email": "new@northlake.example", "role": "viewer"})
    assert caller.post(f"/api-keys/{key.pk}/revoke").status_code == 200
    assert {row.email: row.is_open for row in Invitation.objects.all()} == {
        "friend@evil.example": False,
        "new@northlake.example": True,
    }
