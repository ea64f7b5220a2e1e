"""Webhooks that an API key made, when the key or its maker goes."""

import pytest
from django.urls import reverse
from django.utils import timezone

from console import api_keys as key_slots
from console.models import Member, Webhook
from console.people.actions import members
from console.webhooks import actions as webhooks
from customers.keys import credentials as keys
from customers.keys.actions import api_keys
from customers.models import ApiKey
from tests import factories
from tests.api import Caller, key_of
from tests.console.webhook_receiver import LOCAL

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def local(settings):
    settings.WEBHOOK_NETWORKS = LOCAL


def test_a_key_that_is_revoked_makes_no_webhook_though_it_was_read_before(alice, monkeypatch):
    """It was found usable when the call began; the webhook would live without it."""
    text = key_of(alice)
    original = webhooks.create

    def create(**terms):
        api_keys.revoke(ApiKey.objects.get(), by=factories.actor_of(alice))
        return original(**terms)

    monkeypatch.setattr("console.webhooks.actions.create", create)
    body = {"url": "http://127.0.0.9/", "events": ["device.assigned"]}
    answer = Caller(text).post("/webhooks", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "key_revoked")
    assert not webhooks.Webhook.objects.exists()
    # The negative control: without the look at the key it would be there.
    monkeypatch.setattr(key_slots.hold, "entries", [(0, always)])
    ApiKey.objects.update(revoked_at=None)
    assert Caller(text).post("/webhooks", body).status_code == 201
    assert not ApiKey.objects.usable().exists()
    assert webhooks.Webhook.objects.filter(is_enabled=True).exists()


def always(key_id):
    return True


@pytest.fixture
def integration(alice):
    """A key with a webhook that it made, and one whose address it chose."""
    key, text = keys_of(alice)
    caller, by = Caller(text), factories.actor_of(alice)
    made = caller.post("/webhooks", {"url": "http://127.0.0.9/in", "events": ["device.assigned"]}).json()["id"]
    turned, other = (webhooks.create(url="http://127.0.0.8/", events=["message"], by=by) for _each in range(2))
    assert caller.patch(f"/webhooks/{turned.pk}", {"url": "http://127.0.0.7/"}).status_code == 200
    assert caller.patch(f"/webhooks/{other.pk}", {"description": "x"}).status_code == 200
    return key, caller, [made, turned.pk], other.pk


def are_on():
    return set(Webhook.objects.filter(is_enabled=True).values_list("pk", flat=True))


def test_rotating_a_key_leaves_its_webhooks_on_and_says_which(integration, alice, organization, mailoutbox):
    key, caller, hooks, other = integration
    head = factories.make_member(organization, "administrator")
    urls = ["http://127.0.0.9/in", "http://127.0.0.7/"]
    seen = caller.get(f"/api-keys/{key.pk}").json()["webhooks"]
    answer = caller.post(f"/api-keys/{key.pk}/revoke")
    assert (answer.status_code, answer.json()["webhooks"]) == (200, seen)
    assert [(each["id"], each["url"], each["is_enabled"]) for each in seen] == [
        (hook, url, True) for hook, url in zip(hooks, urls, strict=True)
    ]
    assert are_on() == {*hooks, other}
    assert [sent.to for sent in mailoutbox] == [[alice.email], [head.email]]
    assert mailoutbox[0].subject == "An API key of Northlake was revoked, its webhooks are still on"
    assert all(url in mailoutbox[0].body for url in urls)
    assert f"/settings/webhooks/{hooks[0]}/" in mailoutbox[0].body
    assert "127.0.0.8" not in mailoutbox[0].body


def test_a_leaked_key_takes_its_webhooks_along_where_that_is_asked_for(integration, alice, mailoutbox):
    key, caller, hooks, other = integration
    answer = caller.post(f"/api-keys/{key.pk}/revoke", {"webhooks": "disable"})
    assert [each["is_enabled"] for each in answer.json()["webhooks"]] == [False, False]
    assert are_on() == {other}
    assert Webhook.objects.get(pk=hooks[0]).disabled_reason == "The API key “Line 3” that created it was revoked."
    assert [sent.subject for sent in mailoutbox] == ["A webhook of Northlake was disabled"] * 2
    assert mailoutbox[0].to == [alice.email]


def test_the_page_shows_each_webhook_with_its_address_and_switches_off_what_is_chosen(
    integration, alice, client_for, mailoutbox
):
    key, _caller, hooks, other = integration
    client, url = client_for(alice), reverse("customers:api_key_revoke", args=[key.pk])
    page = client.get(url).content.decode()
    assert "2 webhooks were created with this key" in page
    assert "http://127.0.0.9/in" in page
    assert "127.0.0.8" not in page
    client.post(url, {"seen": hooks, "disable": [hooks[0], other]})
    assert not keys.is_usable(key.pk)
    # What is no webhook of this key is not switched off with it.
    assert are_on() == {hooks[1], other}
    # What was seen and left on is no news; what was switched off is told.
    assert [sent.subject for sent in mailoutbox] == ["A webhook of Northlake was disabled"]


def test_a_webhook_created_after_the_page_was_shown_is_reported(integration, alice, client_for, mailoutbox):
    key, _caller, hooks, _other = integration
    client_for(alice).post(reverse("customers:api_key_revoke", args=[key.pk]), {"seen": hooks[:1]})
    (sent,) = mailoutbox
    assert "http://127.0.0.7/" in sent.body
    assert "http://127.0.0.9/in" not in sent.body


def test_members_who_may_not_manage_webhooks_see_only_the_host_of_their_addresses(integration, alice):
    key, _caller, _hooks, _other = integration
    blind = Caller(key_of(alice, "view", "api_key.manage"))
    assert [each["url"] for each in blind.get(f"/api-keys/{key.pk}").json()["webhooks"]] == [
        "http://127.0.0.9",
        "http://127.0.0.7",
    ]


def test_a_key_that_expires_leaves_its_webhooks_on(integration):
    key, _caller, hooks, other = integration
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert not keys.is_usable(key.pk)
    assert are_on() == {*hooks, other}


def test_webhooks_of_a_member_who_leaves_stay_enabled_and_the_others_are_notified_once(organization, alice, mailoutbox):
    """Whatever they set up: with keys, also expired ones, or by hand; and no others."""
    head = factories.make_member(organization, "administrator", "hana@northlake.example", "Hana Ito")
    key, text = keys_of(head)
    Caller(text).post("/webhooks", {"url": "http://127.0.0.9/in", "events": ["device.assigned"]})
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    webhooks.create(url="http://127.0.0.8/", events=["message"], by=factories.actor_of(head))
    webhooks.create(url="http://127.0.0.7/", events=["message"], by=factories.actor_of(alice))
    members.remove(Member.objects.get(user=head), by=factories.actor_of(alice))
    assert not ApiKey.objects.usable().exists()
    assert Webhook.objects.filter(is_enabled=True).count() == 3
    (sent,) = mailoutbox
    assert (sent.to, sent.subject) == ([alice.email], "Hana Ito left Northlake, their webhooks are still on")
    assert [f"http://127.0.0.{n}/" in sent.body for n in (9, 8, 7)] == [True, True, False]


@pytest.mark.parametrize("verb", ["disable", "remove"])
def test_what_a_person_does_on_the_page_of_the_webhook_is_not_mailed_and_what_a_program_does_is(
    verb, alice, client_for, mailoutbox
):
    by = factories.actor_of(alice)
    hooks = [webhooks.create(url="http://127.0.0.9/", events=["message"], by=by) for _each in range(2)]
    client_for(alice).post(reverse(f"console:webhook_{verb}", args=[hooks[0].pk]))
    assert mailoutbox == []
    caller, url = Caller(key_of(alice)), f"/webhooks/{hooks[1].pk}"
    caller.post(f"{url}/disable") if verb == "disable" else caller.delete(url)
    (sent,) = mailoutbox
    assert (sent.to, sent.subject) == ([alice.email], f"A webhook of Northlake was {verb}d")
    assert "Alice Kemp (" in sent.body
    assert not Webhook.objects.filter(is_enabled=True).exists()


def keys_of(user):
    actor = factories.actor_of(user)
    return api_keys.create(name="Line 3", scopes=actor.permissions, by=actor)
