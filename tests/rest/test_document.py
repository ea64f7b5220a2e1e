"""The API takes what the OpenAPI document says of a field: 400 for the wrong shape, 422 for what can't be accepted."""

import pytest

from console.audit import public
from console.models import Invitation, Webhook
from console.rest.schema import built
from devices.models import Call

pytestmark = pytest.mark.django_db


def shape(name):
    return built()["components"]["schemas"][name]["properties"]


def test_the_events_of_webhooks_are_named_in_the_document(api):
    reference = shape("WebhookInRequest")["events"]["items"]["$ref"].rsplit("/", 1)[1]
    assert built()["components"]["schemas"][reference]["enum"] == [event.name for event in public.offered()]
    answer = api.post("/webhooks", {"url": "https://example.com/hooks", "events": ["device.exploded"]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "events[0]")
    assert not Webhook.objects.exists()


def test_an_event_that_a_customers_webhook_has_not_is_a_field_that_cant_be_taken(api, customer):
    body = {"url": "https://example.com/", "events": ["device.registered"], "customer": customer.pk}
    answer = api.post("/webhooks", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_event")
    assert [error["field"] for error in answer.json()["errors"]] == ["events"]


def test_what_is_asked_of_a_device_is_called_as_the_document_says(api, device):
    assert shape("CallInRequest")["name"]["pattern"] == "^[A-Za-z0-9_./-]+$"
    for name in ("two words", "battery\n", "strøm"):
        answer = api.post(f"/devices/{device.pk}/calls", {"kind": "variable", "name": name})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")
    assert not Call.objects.exists()
    asked = api.post(f"/devices/{device.pk}/calls", {"kind": "variable", "name": "a/b_c.d-1"})
    assert asked.status_code == 202


def test_addresses_are_said_to_be_addresses(api):
    for name in ("InvitationInRequest", "PersonInRequest", "ProfileMemberInRequest"):
        assert (shape(name)["email"]["format"], shape(name)["email"]["maxLength"]) == ("email", 254)
    answer = api.post("/invitations", {"email": "no address", "role": "viewer"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "email")
    assert not Invitation.objects.exists()
