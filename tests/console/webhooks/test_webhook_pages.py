"""The pages of webhooks, as an owner uses them."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from console.access import system
from console.models import DeliveryState, Webhook, WebhookAttempt, WebhookDelivery
from console.webhooks import actions as webhooks
from console.webhooks import delivery
from tests import forms

pytestmark = pytest.mark.django_db
FORM = {
    "url": "https://hooks.northlake.example/in",
    "description": "ERP",
    "events": ["device.assigned", "message"],
    "message_names": "level, alarm",
}


@pytest.fixture
def hook(by_system):
    return webhooks.create(url="https://hooks.northlake.example/", events=["message"], by=by_system)


def test_the_secret_is_shown_once_after_the_webhook_is_created(client_for, alice):
    client = client_for(alice)
    answer = client.post(reverse("console:webhook_create"), FORM)
    hook = Webhook.objects.get()
    assert (answer.status_code, answer.url) == (302, hook.get_absolute_url())
    assert (hook.events, hook.message_names, hook.scope) == (
        ["device.assigned", "message"],
        ["alarm", "level"],
        "organization",
    )
    secret = webhooks.secret(hook)
    assert secret in client.get(answer.url).content.decode()
    assert secret not in client.get(answer.url).content.decode()


def test_the_page_of_a_new_secret_shows_it_once_and_says_how_long_the_old_one_signs(client_for, alice, hook):
    client = client_for(alice)
    before = webhooks.secret(hook)
    assert client.get(reverse("console:webhook_rotate", args=[hook.pk])).status_code == 200
    answer = client.post(reverse("console:webhook_rotate", args=[hook.pk]), follow=True)
    hook.refresh_from_db()
    text = answer.content.decode()
    assert webhooks.secret(hook) in text
    assert before not in text
    assert "calls are also signed with the previous secret" in text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"url": "http://127.0.0.1/"}, "Use https."),
        ({"url": "https://a:b@example.com/"}, "Remove the name and password from the URL"),
        ({"events": []}, "This field is required."),
        ({"url": "https://169.254.169.254/"}, "Webhooks can&#x27;t be sent to this network or port."),
    ],
)
def test_a_form_that_makes_no_sense_says_why(change, sentence, client_for, alice):
    answer = client_for(alice).post(reverse("console:webhook_create"), {**FORM, **change})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Webhook.objects.exists()


def test_a_webhook_is_bound_to_the_product_or_customer_on_whose_page_it_is_begun(client_for, alice, product, customer):
    client, url = client_for(alice), reverse("console:webhook_create")
    client.post(f"{url}?product={product.pk}", FORM)
    client.post(f"{url}?customer={customer.pk}", FORM)
    assert list(Webhook.objects.order_by("pk").values_list("product_id", "customer_id", "scope_label")) == [
        (product.pk, None, "Aqua Meter"),
        (None, customer.pk, "Stadtwerke Aalen"),
    ]
    assert client.get(f"{url}?customer=99999").status_code == 404
    assert client.get(f"{url}?product=x").status_code == 404


def test_no_webhook_is_begun_for_another_organizations_product(client_for, alice, foreign_device):
    url = f"{reverse('console:webhook_create')}?product={foreign_device.product_id}"
    assert client_for(alice).post(url, FORM).status_code == 404
    assert not Webhook.objects.exists()


def test_editing_changes_what_is_told_and_stands_in_the_log(client_for, alice, hook):
    client = client_for(alice)
    edited = forms.edit(
        client, reverse("console:webhook_edit", args=[hook.pk]), url=FORM["url"], events=["device.claimed"]
    )
    answer = client.get(edited.url)
    hook.refresh_from_db()
    assert (hook.url, hook.events, hook.message_names) == (FORM["url"], ["device.claimed"], [])
    assert "edited the webhook" in answer.content.decode()


def test_names_in_the_field_that_is_hidden_without_the_event_message_are_not_meant(client_for, alice):
    client_for(alice).post(reverse("console:webhook_create"), {**FORM, "events": ["device.assigned"]})
    assert Webhook.objects.get().message_names == []


def test_a_refusal_is_shown_at_its_field(client_for, alice):
    names = ", ".join(["a" * 65])
    answer = client_for(alice).post(reverse("console:webhook_create"), {**FORM, "message_names": names})
    assert answer.context["form"].errors == {
        "message_names": ["Name up to 100 messages, each with up to 64 characters."]
    }


def test_it_is_switched_off_and_on_and_removed(client_for, alice, hook):
    client = client_for(alice)
    for verb, is_enabled in (("disable", False), ("enable", True)):
        client.post(reverse(f"console:webhook_{verb}", args=[hook.pk]))
        hook.refresh_from_db()
        assert hook.is_enabled is is_enabled
    client.post(reverse("console:webhook_remove", args=[hook.pk]))
    hook.refresh_from_db()
    assert (hook.is_enabled, hook.archived_at is not None) == (False, True)
    assert (
        hook.url
        not in client.get(reverse("console:webhook_list")).content.decode().split("<main")[1].split("<table")[-1]
    )
    assert client.get(hook.get_absolute_url()).status_code == 200
    assert client.get(reverse("console:webhook_edit", args=[hook.pk])).status_code == 404


def test_a_get_changes_nothing(client_for, alice, hook):
    client = client_for(alice)
    row = webhooks.send_test(hook, by=system(hook.organization))
    WebhookDelivery.objects.update(state=DeliveryState.SENT, next_at=None)
    for verb in ("enable", "disable", "remove", "rotate", "test"):
        client.get(reverse(f"console:webhook_{verb}", args=[hook.pk]))
    client.get(reverse("console:webhook_delivery_again", args=[hook.pk, row.pk]))
    seed = hook.seed
    hook.refresh_from_db()
    row.refresh_from_db()
    assert (hook.is_enabled, hook.archived_at, hook.seed, row.next_at) == (True, None, seed, None)
    assert WebhookDelivery.objects.count() == 1


def test_a_test_leads_to_its_call_which_asks_again_until_it_is_over(client_for, alice, hook):
    client = client_for(alice)
    answer = client.post(reverse("console:webhook_test", args=[hook.pk]), follow=True)
    row = hook.deliveries.get()
    assert answer.redirect_chain[-1][0] == row.get_absolute_url()
    assert f'hx-get="{row.get_absolute_url()}"' in answer.content.decode()
    WebhookAttempt.objects.create(delivery=row, status=500, milliseconds=12, response="<b>broken</b>")
    WebhookDelivery.objects.update(state=DeliveryState.GIVEN_UP, next_at=None)
    text = client.get(row.get_absolute_url(), headers={"HX-Request": "true", "HX-Target": "delivery"}).content.decode()
    assert "hx-get" not in text
    assert "<html" not in text
    assert "&lt;b&gt;broken&lt;/b&gt;" in text
    answer = client.post(reverse("console:webhook_delivery_again", args=[hook.pk, row.pk]))
    assert answer.url == row.get_absolute_url()
    assert delivery.due().count() == 1


def test_all_tries_of_a_call_are_counted_and_a_redirect_says_so(client_for, alice, hook, by_system):
    client, row = client_for(alice), webhooks.send_test(hook, by=by_system)
    for _each in range(3):
        WebhookAttempt.objects.create(
            delivery=row, status=302, milliseconds=1, error="The receiver redirected; redirects aren't followed."
        )
    webhooks.send_again(row, by=by_system)
    text = client.get(row.get_absolute_url()).content.decode()
    assert "<dt>Attempts</dt><dd>3</dd>" in text
    assert "The receiver redirected; redirects aren&#x27;t followed." in text
    assert '<td class="num wide-only">3</td>' in client.get(hook.get_absolute_url()).content.decode()


def test_a_disabled_webhook_is_not_tested(client_for, alice, hook):
    client = client_for(alice)
    webhooks.disable(hook, by=system(hook.organization))
    assert client.post(reverse("console:webhook_test", args=[hook.pk])).status_code == 409
    assert not hook.deliveries.exists()


def test_the_log_is_filtered_and_paged_by_a_cursor(client_for, alice, hook):
    now = timezone.now()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            organization=hook.organization,
            webhook=hook,
            message_id=f"msg_{n}",
            kind="message",
            payload="{}",
            label=f"unit-{n:03d}",
            at=now,
            state="sent" if n % 2 else "given_up",
            created_at=now - timedelta(minutes=n),
        )
        for n in range(120)
    )
    client, url = client_for(alice), hook.get_absolute_url()
    first = client.get(url)
    assert len(first.context["page"].rows) == 50
    second = client.get(url + first.context["page"].next)
    assert {row.pk for row in first.context["page"].rows} & {row.pk for row in second.context["page"].rows} == set()
    sent = client.get(url, {"state": "sent"}).context["page"]
    assert (sent.total, {row.state for row in sent.rows}) == (60, {"sent"})
    assert client.get(url, {"kind": "device.claimed"}).context["page"].total == 0
    assert "No call matches" in client.get(url, {"kind": "device.claimed"}).content.decode()


def test_calls_of_another_organization_do_not_exist(client_for, charlie, hook):
    row = webhooks.send_test(hook, by=system(hook.organization))
    client = client_for(charlie)
    for name, arguments in (("detail", [hook.pk]), ("delivery", [hook.pk, row.pk])):
        assert client.get(reverse(f"console:webhook_{name}", args=arguments)).status_code == 404


def test_a_call_is_found_below_its_own_webhook_only(client_for, alice, hook, by_system):
    other = webhooks.create(url="https://other.northlake.example/", events=["message"], by=by_system)
    row = webhooks.send_test(hook, by=by_system)
    assert client_for(alice).get(reverse("console:webhook_delivery", args=[other.pk, row.pk])).status_code == 404


def test_an_organization_without_webhooks_reads_what_they_are_for(client_for, alice):
    assert "No webhooks yet" in client_for(alice).get(reverse("console:webhook_list")).content.decode()
