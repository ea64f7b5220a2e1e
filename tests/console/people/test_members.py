"""Members: invitations by mail, roles, removal, and the owner who always stays."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from console.errors import Refused
from console.models import Event, Invitation, Member, User
from console.people.actions import members
from tests import factories, forms

pytestmark = pytest.mark.django_db
JOIN = {"name": "Zoe Berg", "password": "correct horse battery"}
OPEN = "/invitation/accept/"


@pytest.fixture
def owner(client_for, alice):
    return client_for(alice)


@pytest.fixture
def link(by) -> str:
    """The path of an open invitation for Zoe, as support."""
    _invitation, link = members.invite("zoe@northlake.example", "support", by=by)
    return link.removeprefix("http://localhost:8000")


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def test_an_invitation_is_mailed_with_a_link_of_which_only_the_hash_is_kept(owner, organization):
    response = owner.post(reverse("console:invitation_create"), {"email": "Zoe@Northlake.example", "role": "support"})
    assert (response.status_code, response.url) == (303, reverse("console:member_list"))
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.invited_by) == (
        "zoe@northlake.example",
        "support",
        "Alice Kemp",
    )
    assert invitation.expires_at - invitation.created_at == timedelta(days=7)
    (message,) = mail.outbox
    assert message.to == ["zoe@northlake.example"]
    assert message.subject == "Alice Kemp invited you to Northlake"
    token = re.search(r"http://localhost:8000/invitation/(\S+)/", message.body)[1]
    assert invitation.token_sha256 == members.digest(token)
    assert token not in repr(Invitation.objects.values().get())
    assert kinds() == ["member.invited"]


def test_the_link_is_built_from_the_base_url_not_from_the_host_of_the_request(owner):
    data = {"email": "zoe@northlake.example", "role": "support"}
    owner.post(
        reverse("console:invitation_create"), data, headers={"host": "127.0.0.1", "x-forwarded-host": "evil.example"}
    )
    assert "http://localhost:8000/invitation/" in mail.outbox[0].body


def test_only_an_owner_invites_an_owner(client_for, organization):
    client = client_for("administrator")
    response = client.post(reverse("console:invitation_create"), {"email": "zoe@northlake.example", "role": "owner"})
    assert response.status_code == 422
    assert not Invitation.objects.exists()
    assert mail.outbox == []
    assert (
        client.post(
            reverse("console:invitation_create"), {"email": "zoe@northlake.example", "role": "administrator"}
        ).status_code
        == 303
    )


@pytest.mark.parametrize(
    "data", [{"email": "x", "role": "viewer"}, {"email": "z@n.example", "role": "king"}, {"email": "", "role": ""}]
)
def test_a_bad_invitation_is_said_at_its_field(owner, data):
    assert owner.post(reverse("console:invitation_create"), data).status_code == 422
    assert not Invitation.objects.exists()


def test_a_member_is_not_invited_again(owner, bob):
    response = owner.post(reverse("console:invitation_create"), {"email": bob.email, "role": "viewer"})
    assert response.status_code == 422
    assert response.context["form"].errors["email"] == ["bob@northlake.example is already a member."]


def test_sending_again_kills_the_older_link(owner, link, client):
    owner.post(reverse("console:invitation_create"), {"email": "zoe@northlake.example", "role": "support"})
    assert client.get(link, follow=True).status_code == 404
    newer = re.search(r"/invitation/\S+/", mail.outbox[-1].body)[0]
    assert client.get(newer, follow=True).status_code == 200
    assert kinds() == ["member.invited", "member.invited_again"]


def test_an_invited_person_chooses_a_name_and_a_password_and_is_in(client, link, organization):
    response = client.get(link)
    assert (response.status_code, response.url) == (302, OPEN)
    assert "zoe@northlake.example" in client.get(OPEN).content.decode()
    response = client.post(OPEN, JOIN)
    assert (response.status_code, response.url) == (302, "/")
    user = User.objects.get(email="zoe@northlake.example")
    assert user.check_password("correct horse battery")
    member = Member.objects.get(user=user)
    assert (member.organization, member.role, member.removed_at) == (organization, "support", None)
    assert client.get("/devices/").status_code == 200
    assert kinds() == ["member.invited", "member.joined"]


def test_the_token_does_not_stay_in_the_address(client, link):
    client.get(link)
    assert link.split("/")[-2] not in client.get(OPEN).content.decode()


def test_a_weak_password_is_said_at_its_field_and_makes_nobody(client, link):
    client.get(link)
    response = client.post(OPEN, {**JOIN, "password": "password"})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["password"]
    assert not User.objects.filter(email="zoe@northlake.example").exists()


def test_every_link_that_is_not_open_gives_the_same_page(client, by, owner, link):
    def page(path: str) -> tuple[int, bytes]:
        response = client.get(path, follow=True)
        return response.status_code, re.sub(
            rb'name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"', b"", response.content
        )

    revoked = members.invite("r@northlake.example", "viewer", by=by)
    members.revoke(revoked[0], by=by)
    expired = members.invite("e@northlake.example", "viewer", by=by, at=timezone.now() - timedelta(days=8))
    used = members.invite("u@northlake.example", "viewer", by=by)
    members.join(used[0], name="U", password="correct horse battery")
    paths = [each[1].removeprefix("http://localhost:8000") for each in (revoked, expired, used)]
    pages = {page(path) for path in [*paths, "/invitation/unknown/", "/invitation/%ED%A0%80/"]}
    assert len(pages) == 1
    assert pages.pop()[0] == 404


def test_a_link_works_once(client, link):
    client.get(link)
    client.post(OPEN, JOIN)
    client.logout()
    assert client.get(link, follow=True).status_code == 404
    assert Member.objects.filter(user__email="zoe@northlake.example").count() == 1


def test_people_with_an_account_sign_in_and_accept(client, by, charlie, organization):
    _invitation, link = members.invite(charlie.email, "viewer", by=by)
    path = link.removeprefix("http://localhost:8000")
    page = client.get(path, follow=True)
    assert "/account/login/?next=/invitation/accept/" in page.content.decode()
    response = client.post(
        reverse("account_login"), {"login": charlie.email, "password": "correct horse battery", "next": OPEN}
    )
    assert response.url == OPEN
    assert client.post(OPEN).status_code == 302
    assert Member.objects.get(organization=organization, user=charlie).role == "viewer"
    assert client.get("/").context["actor"].organization == organization


def test_people_with_an_account_keep_their_password(client, by, charlie):
    _invitation, link = members.invite(charlie.email, "viewer", by=by)
    client.get(link.removeprefix("http://localhost:8000"))
    client.post(OPEN, {**JOIN, "password": "stolen stolen stolen"})
    charlie.refresh_from_db()
    assert charlie.check_password("correct horse battery")
    assert Member.objects.filter(user=charlie).count() == 1


def test_an_invitation_is_for_its_address_alone(client_for, link, charlie, organization):
    client = client_for(charlie)
    assert "You’re signed in as charlie@southridge.example" in client.get(link, follow=True).content.decode()
    response = client.post(OPEN)
    assert response.status_code == 403
    assert not Member.objects.filter(user=charlie, organization=organization).exists()
    assert Invitation.objects.get().accepted_at is None


def test_a_removed_member_can_be_invited_again(owner, by, bob, organization):
    members.remove(Member.objects.get(user=bob), by=by)
    invitation, _link = members.invite(bob.email, "viewer", by=by)
    members.accept(invitation, user=bob)
    member = Member.objects.get(user=bob)
    assert (member.role, member.removed_at) == ("viewer", None)


def test_an_invitation_is_revoked(owner, link, client):
    invitation = Invitation.objects.get()
    assert owner.post(reverse("console:invitation_revoke", args=[invitation.pk])).status_code == 302
    assert client.get(link, follow=True).status_code == 404
    assert kinds()[-1] == "member.invitation_revoked"


def test_guessing_tokens_does_not_lock_out_others(client, link):
    """They have 256 bits: there is nothing to slow down."""
    for number in range(65):
        assert client.get(f"/invitation/{number}/", follow=True).status_code == 404
    assert client.get(link, follow=True).status_code == 200


def test_a_role_change_is_saved_and_reported(owner, bob):
    member = Member.objects.get(user=bob)
    response = forms.edit(owner, reverse("console:member_edit", args=[member.pk]), role="fulfilment")
    assert response.status_code == 302
    member.refresh_from_db()
    assert member.role == "fulfilment"
    assert Event.objects.get().data == {"role": ["support", "fulfilment"]}


def test_members_cannot_change_their_own_role(owner, alice):
    member = Member.objects.get(user=alice)
    factories.make_member(member.organization, "owner")
    response = owner.post(reverse("console:member_edit", args=[member.pk]), {"role": "viewer"})
    assert response.status_code == 422
    assert owner.post(reverse("console:member_remove", args=[member.pk])).status_code == 403
    member.refresh_from_db()
    assert (member.role, member.removed_at) == ("owner", None)


def test_an_administrator_touches_no_owner(client_for, alice):
    client, member = client_for("administrator"), Member.objects.get(user=alice)
    assert client.post(reverse("console:member_edit", args=[member.pk]), {"role": "viewer"}).status_code == 422
    assert client.post(reverse("console:member_remove", args=[member.pk])).status_code == 403
    member.refresh_from_db()
    assert (member.role, member.removed_at) == ("owner", None)


def test_an_administrator_makes_nobody_an_owner(client_for, bob):
    member = Member.objects.get(user=bob)
    response = client_for("administrator").post(reverse("console:member_edit", args=[member.pk]), {"role": "owner"})
    assert response.status_code == 422
    member.refresh_from_db()
    assert member.role == "support"


def test_the_last_owner_stays(by, organization):
    """Somebody who was an owner a moment ago and is none any more meets the last one."""
    last = Member.objects.get(user=by.user)
    former = factories.actor_of(factories.make_member(organization, "owner"))
    Member.objects.filter(user=former.user).update(role="viewer")
    for act in (lambda: members.change_role(last, "viewer", by=former), lambda: members.remove(last, by=former)):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == "last_owner"
    last.refresh_from_db()
    assert (last.role, last.removed_at) == ("owner", None)


def test_a_stale_role_changes_nothing(by, bob):
    member = Member.objects.get(user=bob)
    Member.objects.filter(pk=member.pk).update(role="viewer")
    with pytest.raises(Refused) as refusal:
        members.change_role(member, "administrator", by=by)
    assert refusal.value.code == "changed_meanwhile"
    assert Member.objects.get(pk=member.pk).role == "viewer"


def test_a_removed_member_is_out_with_the_next_request(owner, client_for, bob):
    client = client_for(bob)
    assert client.get("/").status_code == 200
    owner.post(reverse("console:member_remove", args=[Member.objects.get(user=bob).pk]))
    assert client.get("/activity/").status_code == 403
    assert kinds() == ["member.removed"]


def test_a_member_who_leaves_has_no_open_invitations_left(by, actor, client):
    administrator = actor("administrator")
    _invitation, link = members.invite("friend@elsewhere.example", "administrator", by=administrator)
    members.remove(Member.objects.get(user=administrator.user), by=by)
    assert client.get(link.removeprefix("http://localhost:8000"), follow=True).status_code == 404


def test_a_renamed_member_who_leaves_has_no_open_invitations_left_either(by, actor):
    administrator = actor("administrator")
    members.invite("friend@elsewhere.example", "administrator", by=administrator)
    User.objects.filter(pk=administrator.user.pk).update(name="Somebody Else")
    members.remove(Member.objects.get(user=administrator.user), by=by)
    assert Invitation.objects.get().revoked_at is not None


def test_a_demoted_administrator_leaves_no_open_invitation_behind(by, actor):
    administrator = actor("administrator")
    members.invite("friend@elsewhere.example", "administrator", by=administrator)
    members.change_role(Member.objects.get(user=administrator.user), "support", by=by)
    assert Invitation.objects.get().revoked_at is not None


def test_the_list_shows_members_without_a_second_factor(owner, bob, organization):
    organization.requires_second_factor = False
    html = owner.get(reverse("console:member_list")).content.decode()
    assert html.count("Off</span>") == 2
    assert "never" in html


def test_the_pages_of_members_ask_a_fixed_number_of_questions(owner, organization, django_assert_max_num_queries):
    for _each in range(20):
        factories.make_member(organization, "viewer")
    owner.get("/")
    with django_assert_max_num_queries(8):
        owner.get(reverse("console:member_list"))


def test_removing_asks_first(owner, bob):
    member = Member.objects.get(user=bob)
    page = owner.get(reverse("console:member_remove", args=[member.pk]))
    assert "Remove Bob Adeyemi?" in page.content.decode()
    member.refresh_from_db()
    assert member.removed_at is None


def test_a_removed_member_has_no_page(owner, bob, by):
    member = Member.objects.get(user=bob)
    members.remove(member, by=by)
    assert owner.get(reverse("console:member_edit", args=[member.pk])).status_code == 404


def test_the_link_of_an_invitation_can_be_copied_once_and_the_page_says_where_the_mail_is(owner, settings):
    page = owner.post(
        reverse("console:invitation_create"), {"email": "zoe@northlake.example", "role": "support"}, follow=True
    ).content.decode()
    token = re.search(r"/invitation/(\S+)/", mail.outbox[0].body)[1]
    assert f'data-copy="http://localhost:8000/invitation/{token}/"' in page
    assert "is in this server’s mailbox, because no mail server is configured." in page
    assert reverse("console:mail_list") in page
    assert token not in owner.get(reverse("console:member_list")).content.decode()
    settings.MAIL_URL = "smtp://mail.northlake.example"
    page = owner.post(
        reverse("console:invitation_create"), {"email": "yan@northlake.example", "role": "support"}, follow=True
    ).content.decode()
    assert "Invitation sent to yan@northlake.example." in page
