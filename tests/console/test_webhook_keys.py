"""Webhooks that an API key made, when the key or its maker goes."""

import pytest
from django.utils import timezone

from console.access import system
from console.actions import webhooks
from customers import keys
from customers.actions import api_keys
from customers.models import ApiKey
from tests import factories
from tests.api import Caller, key_of
from tests.console.webhook_receiver import LOCAL

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def local(settings):
    settings.WEBHOOK_NETWORKS = LOCAL


def test_a_key_that_is_revoked_makes_no_webhook_though_it_was_read_before(alice, monkeypatch, settings):
    """It was found usable when the call began; the webhook would live without it."""
    text = key_of(alice)
    original = webhooks.create

    def create(**terms):
        api_keys.revoke(ApiKey.objects.get(), by=factories.actor_of(alice))
        return original(**terms)

    monkeypatch.setattr("console.rest.webhooks.webhooks.create", create)
    body = {"url": "http://127.0.0.9/", "events": ["device.assigned"]}
    answer = Caller(text).post("/webhooks", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "key_revoked")
    assert not webhooks.Webhook.objects.exists()
    # The negative control: without the look at the key it would be there.
    settings.API_KEY_HOLD = f"{__name__}.always"
    ApiKey.objects.update(revoked_at=None)
    assert Caller(text).post("/webhooks", body).status_code == 201
    assert not ApiKey.objects.usable().exists()
    assert webhooks.Webhook.objects.filter(is_enabled=True).exists()


def always(key_id):
    return True


def test_who_leaves_takes_along_the_webhooks_of_keys_that_have_expired(alice, organization):
    key, text = keys_of(alice)
    made = Caller(text).post("/webhooks", {"url": "http://127.0.0.9/", "events": ["device.assigned"]})
    assert made.status_code == 201
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert not keys.is_usable(key.pk)
    assert api_keys.revoke_of(organization, alice, by=system(organization)) == 1
    assert not webhooks.Webhook.objects.get().is_enabled


def keys_of(user):
    actor = factories.actor_of(user)
    return api_keys.create(name="Line 3", scopes=actor.permissions, by=actor)
