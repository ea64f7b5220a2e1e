"""Webhooks over REST: what they are bound to, what is refused and where it says so, and the log of their deliveries."""

from ipaddress import ip_network

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.models import Webhook, WebhookDelivery
from console.webhooks import actions as webhooks
from console.webhooks import delivery
from tests import factories
from tests.console.webhook_receiver import LOCAL, Receiver

pytestmark = pytest.mark.django_db
HOOK = {"url": "https://example.com/hooks", "events": ["device.assigned"]}
NOT_ALLOWED = "Webhooks can't be sent to this network or port. Use a public https URL."


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_NETWORKS = LOCAL
    found = Receiver()
    yield found
    found.shutdown()
    found.server_close()


def refused(answer):
    """Status, code, and the fields that it names."""
    body = answer.json()
    return answer.status_code, body["code"], [error["field"] for error in body["errors"]]


def test_a_webhook_is_bound_to_a_product_by_id_or_slug_and_to_a_customer_by_id(api, product, customer):
    of_product = {"id": product.pk, "name": "Aqua Meter", "slug": "aqua-meter"}
    for key in (str(product.pk), "aqua-meter"):
        made = api.post("/webhooks", HOOK | {"product": key})
        assert (made.status_code, made.json()["product"], made.json()["customer"]) == (201, of_product, None)
    made = api.post("/webhooks", HOOK | {"customer": customer.pk, "product": None}).json()
    assert (made["product"], made["customer"]) == (None, {"id": customer.pk, "name": "Stadtwerke Aalen"})
    assert made["secret"].startswith("whsec_")
    assert "secret" not in api.get(f"/webhooks/{made['id']}").json()
    assert api.patch(f"/webhooks/{made['id']}", {"description": "x"}).json()["customer"]["id"] == customer.pk
    listed = api.get("/webhooks").json()["results"]
    assert [(hook["product"], hook["customer"]) for hook in listed] == [
        (None, {"id": customer.pk, "name": "Stadtwerke Aalen"}),
        (of_product, None),
        (of_product, None),
    ]


def test_the_names_of_what_they_are_bound_to_cost_no_statement_each(api, product, alice):
    counts = []
    api.get("/webhooks")
    for number in (1, 6):
        while Webhook.objects.count() < number:
            webhooks.create(**HOOK, product_id=product.pk, by=factories.actor_of(alice))
        with CaptureQueriesContext(connection) as asked:
            assert len(api.get("/webhooks").json()["results"]) == number
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_no_webhook_is_bound_to_what_is_another_organizations_or_not_there(
    api, foreign_device, other_customer, product, customer
):
    for key in (str(foreign_device.product_id), "no-such-thing", "٣"):
        assert refused(api.post("/webhooks", HOOK | {"product": key})) == (422, "unknown_product", ["product"])
    assert refused(api.post("/webhooks", HOOK | {"customer": 99_999})) == (422, "unknown_customer", ["customer"])
    both = HOOK | {"customer": customer.pk, "product": "aqua-meter"}
    assert refused(api.post("/webhooks", both)) == (422, "one_scope", ["customer"])
    assert refused(api.post("/webhooks", HOOK | {"product_id": product.pk}))[0::2] == (400, ["product_id"])
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/",
        "https://[::1]/",
        "http://10.0.0.1/x",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://1.1.1.1:22/",
        "http://1.1.1.1/",
    ],
)
def test_an_address_in_figures_that_may_not_be_dialled_is_refused_at_its_field(url, api, settings):
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.77/32")]
    answer = api.post("/webhooks", HOOK | {"url": url})
    assert refused(answer) == (422, "address_not_allowed", ["url"])
    assert answer.json()["errors"][0]["detail"] == answer.json()["title"] == NOT_ALLOWED
    made = api.post("/webhooks", HOOK | {"url": "http://127.0.0.77:8790/"}).json()
    assert refused(api.patch(f"/webhooks/{made['id']}", {"url": url})) == (422, "address_not_allowed", ["url"])
    assert [hook.url for hook in Webhook.objects.all()] == ["http://127.0.0.77:8790/"]


def test_the_description_of_a_webhook_can_be_edited_after_its_network_was_closed(api, settings):
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.77/32")]
    pk = api.post("/webhooks", HOOK | {"url": "http://127.0.0.77:8790/"}).json()["id"]
    settings.WEBHOOK_NETWORKS = []
    assert api.patch(f"/webhooks/{pk}", {"description": "Old one"}).json()["description"] == "Old one"
    assert refused(api.patch(f"/webhooks/{pk}", {"url": "http://127.0.0.77:1/"}))[2] == ["url"]


def test_names_of_messages_without_the_event_message_are_refused(api):
    named = {"message_names": ["level"]}
    assert refused(api.post("/webhooks", HOOK | named)) == (422, "names_without_message", ["message_names"])
    assert not Webhook.objects.exists()
    hook = api.post("/webhooks", HOOK | named | {"events": ["message"]}).json()
    assert (hook["events"], hook["message_names"]) == (["message"], ["level"])
    path = f"/webhooks/{hook['id']}"
    assert refused(api.patch(path, HOOK | named)) == (422, "names_without_message", ["message_names"])
    assert api.get(path).json()["message_names"] == ["level"]
    assert api.patch(path, {"events": ["device.assigned"]}).json()["message_names"] == []
    assert refused(api.patch(path, named)) == (422, "names_without_message", ["message_names"])
    assert api.patch(path, {"events": ["message"]}).json()["message_names"] == []


def test_the_deliveries_are_filtered_by_state_and_kind(api, alice, organization):
    hook = webhooks.create(**HOOK, by=factories.actor_of(alice))
    for state in ("sent", "given_up", "sent", "failed"):
        row = webhooks.send_test(hook, by=factories.actor_of(alice))
        WebhookDelivery.objects.filter(pk=row.pk).update(state=state)

    def found(**query):
        return [row["state"] for row in api.get(f"/webhooks/{hook.pk}/deliveries", **query).json()["results"]]

    assert found() == ["failed", "sent", "given_up", "sent"]
    assert found(state="sent") == ["sent", "sent"]
    assert found(state="given_up", kind="webhook.test") == ["given_up"]
    assert found(kind="message") == found(state="waiting") == []
    page = api.get(f"/webhooks/{hook.pk}/deliveries", state="sent", limit="1").json()
    assert found(state="sent", cursor=page["next"]) == ["sent"]
    for query in ({"state": "lost"}, {"kind": "device.exploded"}):
        assert refused(api.get(f"/webhooks/{hook.pk}/deliveries", **query))[0::2] == (400, list(query))


def test_the_tries_of_a_delivery_that_was_sent_again_are_counted_with_those_before(api, receiver):
    made = api.post("/webhooks", HOOK | {"url": receiver.url}).json()
    receiver.secret, receiver.answers = made["secret"], [302, 500, 410]
    sent = api.post(f"/webhooks/{made['id']}/test")
    assert (sent.status_code, sent.json()["attempts"]) == (202, 0)
    path = f"/webhooks/{made['id']}/deliveries/{sent.json()['id']}"
    for number in (1, 2, 3):
        delivery.run()
        row = api.get(path).json()
        assert (row["attempts"], len(row["tries"])) == (number, number)
        again = api.post(f"{path}/send-again")
        assert again.status_code == (202 if number < 3 else 409)
        if number < 3:
            assert (again.json()["attempts"], again.json()["state"]) == (number, "waiting")
    assert [(one["status"], one["error"]) for one in row["tries"]] == [
        (410, "The receiver answered 410."),
        (500, "The receiver answered 500."),
        (302, "The receiver redirected; redirects aren't followed."),
    ]
    assert api.get(f"/webhooks/{made['id']}/deliveries").json()["results"][0]["attempts"] == 3


def test_a_delivery_that_is_sent_again_has_the_whole_schedule_before_it(api, receiver):
    made = api.post("/webhooks", HOOK | {"url": receiver.url}).json()
    receiver.secret, receiver.answers = made["secret"], [500] * 12
    hook = f"/webhooks/{made['id']}"
    path = f"{hook}/deliveries/{api.post(f'{hook}/test').json()['id']}"
    for number in range(1, 11):
        delivery.run()
        assert api.get(path).json()["attempts"] == number
        WebhookDelivery.objects.filter(next_at__isnull=False).update(next_at=webhooks.timezone.now())
    assert api.get(path).json()["state"] == "given_up"
    api.post(f"{path}/send-again")
    delivery.run()
    row = api.get(path).json()
    assert (row["attempts"], row["state"]) == (11, "failed")
