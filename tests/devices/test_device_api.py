"""The device API over HTTP: who may call, what is accepted, what is refused, and that a refusal changes nothing."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from console.models import Event
from devices import ledger
from devices.actions import devices as device_actions
from devices.acts import Act
from devices.device_api import authentication
from devices.models import Device, DeviceReport, Message
from tests import factories
from tests.devices.telling import Unit, basic, fresh, give_secret

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_address_is_known():
    authentication.forget()
    yield
    authentication.forget()


@pytest.fixture
def unit(device) -> Unit:
    return Unit(device)


def test_a_device_publishes_a_message_with_the_time_of_the_server(unit, device):
    before = datetime.now(UTC)
    answer = unit.post(
        "messages", {"name": "env/temp", "data": {"c": 21.50, "ok": True}, "at": "2020-02-03T04:05:06+01:00"}
    )
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    message = Message.objects.get()
    assert (message.device, message.organization, message.name) == (device, device.organization, "env/temp")
    assert message.data == {"c": 21.50, "ok": True}
    assert before <= message.at <= datetime.now(UTC)
    assert message.device_at == datetime(2020, 2, 3, 3, 5, 6, tzinfo=UTC)


def test_a_device_publishes_a_thousand_messages_at_one_instant(unit):
    answer = unit.post("messages", [{"name": f"n{n % 3}", "data": n} for n in range(1000)])
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1000})
    assert list(Message.objects.order_by("pk").values_list("data", flat=True)) == list(range(1000))
    assert len(set(Message.objects.values_list("at", flat=True))) == 1


@pytest.mark.parametrize(
    "value", [None, False, 0, "", [], {}, {"b": 1, "a": 2}, "a\u0000b", "ä€😀", 10**40, 1e300, 0.1, [[[[1]]]]], ids=repr
)
def test_any_json_comes_back_as_it_was_sent(unit, value):
    assert unit.post("messages", {"name": "x", "data": value}).status_code == 202
    message = Message.objects.get()
    assert json.dumps(message.data) == json.dumps(value)


@pytest.mark.parametrize(
    "item",
    [
        {"name": "x", "data": "\ud800"},
        {"name": "x", "data": {"\ud800": 1}},
        {"name": "x", "data": json.loads("[" * 101 + "]" * 101)},
        {"name": "x", "data": 1, "at": "9999-12-31T23:59:59Z"},
        {"name": "x", "data": 1, "at": "0001-01-01T00:00:00Z"},
    ],
)
def test_values_that_no_page_could_show_are_refused(unit, item):
    assert unit.post("messages", item).status_code == 422
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("raw", "index"),
    [
        (b"", None),
        (b"{", None),
        (b"NaN", None),
        (b"\xff\xfe\xfd", None),
        (b"[]", None),
        (b"7", 0),
        (b'"x"', 0),
        (b"[" * 100_000, None),
        (b'{"name": "x", "data": Infinity}', None),
        (b'{"name": "x", "data": 1e999}', 0),
        (b'{"name": "x", "data": ' + b"9" * 5000 + b"}", None),
        (b'{"name": "x"}', 0),
        (b'{"data": 1}', 0),
        (b'{"name": "", "data": 1}', 0),
        (b'{"name": "a b", "data": 1}', 0),
        (b'{"name": "x\\n", "data": 1}', 0),
        (b'{"name": 7, "data": 1}', 0),
        (b'{"name": "' + b"x" * 65 + b'", "data": 1}', 0),
        (b'{"name": "x", "data": 1, "more": 2}', 0),
        (b'[{"name": "x", "data": 1}, {"name": "x", "data": 1, "at": "yesterday"}]', 1),
        (b'[{"name": "x", "data": 1}, {"name": "x", "data": 1, "at": "2026-01-01T00:00:00"}]', 1),
        (b'[{"name": "x", "data": 1}, {"name": "x", "data": 1, "at": 7}]', 1),
        (b'[{"name": "x", "data": 1}, {"name": "x", "data": 1, "at": "0001-01-01T00:00:00+14:00"}]', 1),
        (b'[{"name": "x", "data": 1}, {"name": "x", "data": 1}, 7]', 2),
        (json.dumps({"name": "x", "data": "a" * 64 * 1024}).encode(), 0),
        (json.dumps([{"name": "x", "data": 1}] * 1001).encode(), None),
    ],
)
def test_an_invalid_message_is_named_by_its_index_and_nothing_is_stored(unit, raw, index):
    answer = unit.post("messages", None, raw=raw)
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert (answer.json()["code"], answer.json().get("index")) == ("bad_message", index)
    # A fault of the whole request has no index.
    assert ("index" in answer.json()) is (index is not None)
    assert answer.json()["title"].endswith(".")
    assert not Message.objects.exists()


TOO_LARGE = "A number is out of range. Send numbers up to 1.7e308, or text."
TOO_DEEP = "This is nested too deeply. Send at most 100 levels of lists and objects."
NO_TEXT = "A text contains half a character (a lone surrogate), which can't be stored. Send the whole character."


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"1e999", TOO_LARGE),
        (b"-1e999", TOO_LARGE),
        (b'{"a": [1e400]}', TOO_LARGE),
        (b"9" * 5000, TOO_LARGE),
        (b'"\\ud800"', NO_TEXT),
        (b'{"\\udfff": 1}', NO_TEXT),
        (b"[" * 500 + b"]" * 500, TOO_DEEP),
        (b"[" * 101 + b"]" * 101, TOO_DEEP),
        (b"[" * 100_000, TOO_DEEP),
        (b"NaN", "NaN is not JSON. Send a number, null or text."),
        (b"-Infinity", "-Infinity is not JSON. Send a number, null or text."),
        (b'"' + b"a" * 64 * 1024 + b'"', "The data can be at most 64 kB of JSON. Send less."),
        (b"01", "This is not JSON. Send an object or a list of objects in UTF-8."),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_json_that_cannot_be_stored_is_refused_with_its_own_sentence(unit, data, sentence):
    answer = unit.post("messages", None, raw=b'{"name": "x", "data": ' + data + b"}")
    assert (answer.status_code, answer.json()["title"]) == (422, sentence)
    assert not Message.objects.exists()


def test_data_with_the_maximum_nesting_is_accepted(unit):
    assert unit.post("messages", {"name": "x", "data": json.loads("[" * 100 + "]" * 100)}).status_code == 202


def test_data_of_exactly_64_kb_is_accepted(unit):
    assert unit.post("messages", {"name": "x", "data": "a" * (64 * 1024 - 2)}).status_code == 202


def test_more_than_two_megabytes_are_not_read(unit):
    answer = unit.post("messages", None, raw=b" " * (2 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_unknown_archived_and_wrong_credentials_are_refused_alike(unit, device, make_devices, alice):
    archived, bare = make_devices(2)
    his = give_secret(archived)
    device_actions.archive([archived.pk], by=factories.actor_of(alice))
    tries = [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Bearer cst_x",
        "Basic " + "A" * 600,
        basic("", ""),
        basic("nobody-here", unit.secret),
        basic(device.device_name, "wrong"),
        basic(device.device_name, ""),
        basic(device.device_name, unit.secret + "x"),
        basic(device.serial_number, unit.secret),
        basic(archived.device_name, his),
        basic(bare.device_name, ""),
        basic(bare.device_name, authentication.NOBODY),
        basic("a\0b", "x"),
        basic("ä" * 90, "ü"),
    ]
    answers = set()
    for header in tries:
        headers = {} if header is None else {"Authorization": header}
        for path in ("messages", "state"):
            answer = Client().post(
                f"/device/v1/{path}", b'{"name": "x", "data": 1}', content_type="application/json", headers=headers
            )
            answers.add((answer.status_code, answer.content, answer["WWW-Authenticate"], tuple(sorted(answer.headers))))
    assert len(answers) == 1
    assert answers.pop()[0] == 401
    assert not Message.objects.exists()
    assert not DeviceReport.objects.exists()


def test_the_secret_distinguishes_two_devices_with_the_same_name(device, other_organization):
    product = factories.make_product(other_organization, "Copy")
    twin = factories.make_device(product, "T-1", device_name=device.device_name)
    mine, his = Unit(device), Unit(twin)
    assert mine.post("messages", {"name": "mine", "data": 1}).status_code == 202
    assert his.post("messages", {"name": "his", "data": 1}).status_code == 202
    assert Message.objects.get(name="mine").device == device
    assert Message.objects.get(name="his").organization == other_organization


def test_the_name_is_not_case_sensitive(device):
    unit = Unit(device)
    answer = Client().get("/device/v1/state", headers={"Authorization": basic(device.device_name.upper(), unit.secret)})
    assert answer.status_code == 200


def test_a_new_secret_invalidates_the_old_one_at_once(unit, device):
    assert unit.get("state").status_code == 200
    new = give_secret(device)
    assert unit.get("state").status_code == 401
    assert Unit(device, new).get("state").status_code == 200


def test_guessing_is_throttled_without_blocking_any_device(unit, device, make_devices, monkeypatch):
    """Not even a device never seen before, at the guesser's own address, in a process that has just started."""
    guesser = Unit(device, "wrong")
    answers = [guesser.get("state") for _n in range(authentication.TRIES + 5)]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [401] * authentication.TRIES + [429] * 5
    assert int(answers[-1]["Retry-After"]) > 0
    assert unit.get("state").status_code == 200
    authentication.forget()
    [other] = make_devices(1)
    assert Unit(other).get("state").status_code == 200
    assert guesser.get("state").status_code == 429


def test_a_throttled_guess_costs_no_write(device, django_assert_num_queries):
    guesser = Unit(device, "wrong")
    for _n in range(authentication.TRIES + 1):
        guesser.get("state")
    with django_assert_num_queries(1):
        assert guesser.get("state").status_code == 429


def test_the_api_needs_no_session_cookie_or_form_token(unit):
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        "/device/v1/messages", b'{"name": "x", "data": 1}', content_type="application/json", headers=unit.headers
    )
    assert answer.status_code == 202
    assert not answer.cookies


def test_an_unknown_address_returns_a_problem_document_too(unit):
    answer = unit.get("nothing/here")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "no-store" in answer["Cache-Control"]


def test_a_server_error_returns_a_problem_document(unit, monkeypatch):
    monkeypatch.setattr("devices.device_api.views.state_of", lambda by: 1 / 0)
    client = Client(raise_request_exception=False)
    answer = client.get("/device/v1/state", headers=unit.headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")


def test_answers_are_in_english_whatever_language_the_thread_used_before(unit):
    translation.activate("de")
    refused = unit.post("messages", {"name": "a b", "data": 1})
    assert "The name must have 1 to 64 letters" in refused.json()["title"]


@pytest.mark.parametrize(
    ("path", "allowed"), [("messages", "POST"), ("state", "GET, HEAD, POST"), ("calls", "GET"), ("calls/1", "POST")]
)
def test_other_methods_are_refused_with_the_allowed_ones(unit, path, allowed):
    for method in ("put", "patch", "delete", "options"):
        answer = getattr(Client(), method)(f"/device/v1/{path}", headers=unit.headers)
        assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
        assert (answer.json()["code"], answer["Allow"]) == ("method_not_allowed", allowed)
        assert answer.json()["title"].endswith(f"Use {allowed}.")


def test_publishing_one_message_takes_one_statement_and_two_the_first_time(unit):
    for expected in (2, 1):
        with CaptureQueriesContext(connection) as caught:
            assert unit.post("messages", {"name": "x", "data": 1}).status_code == 202
        assert len(caught) == expected
    assert Message.objects.count() == 2


def test_both_ways_of_publishing_store_the_same(unit, device, customer, alice):
    by, project = factories.actor_of(alice), customer.projects.get()
    later = datetime.now(UTC) + timedelta(minutes=5)
    ledger.assign([device.pk], Act(by, at=later), customer=customer, project=project, reason="assignment")
    for _way in range(2):
        value = {"name": "x", "data": {"ä": [1, None]}, "at": "2026-01-01T00:00:00Z"}
        assert unit.post("messages", value).status_code == 202
    first, second = Message.objects.order_by("pk").values(
        "organization", "device", "project", "name", "data", "at", "device_at"
    )
    assert first == second
    assert (first["at"], first["project"]) == (later, project.pk)


def test_a_device_accepted_before_is_refused_at_once_like_any_other(unit, device):
    assert unit.post("messages", {"name": "x", "data": 1}).status_code == 202
    Device.objects.filter(pk=device.pk).update(archived_at=datetime.now(UTC))
    assert unit.post("messages", {"name": "x", "data": 1}).status_code == 401
    Device.objects.filter(pk=device.pk).update(archived_at=None)
    assert unit.post("messages", {"name": "x", "data": 1}).status_code == 202
    give_secret(device)
    for _time in range(2):
        assert unit.post("messages", {"name": "x", "data": 1}).status_code == 401
    assert unit.post("messages", None, raw=b"{").status_code == 401
    assert Message.objects.count() == 2


def test_the_state_follows_the_ledger(unit, device, customer, alice, product):
    by = factories.actor_of(alice)
    first = unit.get("state").json()
    assert (first["owned"], first["owner_epoch"], first["may_subscribe"], first["wipe"]) == (False, 0, False, None)
    assert (first["device_name"], first["desired_firmware"]) == (device.device_name, None)
    project = customer.projects.get()
    ledger.assign([device.pk], Act(by), customer=customer, project=project, reason="assignment")
    owned = unit.get("state").json()
    assert (owned["owned"], owned["may_subscribe"]) == (True, True)
    assert owned["owner_epoch"] > 0
    ledger.release([device.pk], Act(by), reason="unclaim")
    free = unit.get("state").json()
    assert (free["owned"], free["may_subscribe"], free["owner_epoch"]) == (False, False, owned["owner_epoch"])
    assert free["wipe"]["confirmed_at"] is None
    ledger.assign([device.pk], Act(by), customer=customer, project=project, reason="assignment")
    assert unit.get("state").json()["owner_epoch"] > owned["owner_epoch"]


def test_an_unowned_device_may_subscribe_if_its_product_says_so(unit, product):
    type(product).objects.filter(pk=product.pk).update(unowned_may_subscribe=True)
    assert unit.get("state").json()["may_subscribe"] is True


def test_a_device_reports_its_firmware(unit, device):
    assert unit.post("state", {"firmware_version": "1.2.0"}).status_code == 200
    assert unit.post("state", {"firmware_version": "1.2.1"}).json()["device_name"] == device.device_name
    assert DeviceReport.objects.get().firmware_version == "1.2.1"


def test_a_device_can_only_confirm_the_requested_wipe(unit, device, customer, alice):
    by, project = factories.actor_of(alice), customer.projects.get()
    ledger.assign([device.pk], Act(by), customer=customer, project=project, reason="assignment")
    assert unit.post("state", {"wiped": "2026-01-01T00:00:00Z"}).status_code == 409
    ledger.release([device.pk], Act(by), reason="unclaim")
    old = unit.get("state").json()["wipe"]["asked_at"]
    ledger.assign([device.pk], Act(by), customer=customer, project=project, reason="assignment")
    ledger.release([device.pk], Act(by), reason="unclaim")
    answer = unit.post("state", {"wiped": old})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_asked")
    assert fresh(device).wipe_confirmed_at is None
    asked = unit.get("state").json()["wipe"]["asked_at"]
    confirmed = unit.post("state", {"wiped": asked}).json()["wipe"]
    assert confirmed["asked_at"] == asked and confirmed["confirmed_at"]
    at = fresh(device).wipe_confirmed_at
    assert unit.post("state", {"wiped": asked}).status_code == 200
    assert fresh(device).wipe_confirmed_at == at
    assert Event.objects.filter(kind="device.wiped").count() == 1


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        7,
        {"x": 1},
        {"firmware_version": 7},
        {"firmware_version": ""},
        {"firmware_version": "a" * 65},
        {"firmware_version": "a\u0000"},
        {"wiped": True},
        {"wiped": "now"},
        {"firmware_version": "1", "wiped": 7},
    ],
    ids=repr,
)
def test_an_invalid_report_is_refused_and_changes_nothing(unit, value):
    assert unit.post("state", value).status_code == 422
    assert not DeviceReport.objects.exists()


def test_a_scrapped_device_can_still_publish(unit, device):
    Device.objects.filter(pk=device.pk).update(status="scrapped")
    assert unit.post("messages", {"name": "x", "data": 1}).status_code == 202


def test_a_slow_clock_does_not_put_a_message_before_the_last_handover(unit, device, customer, alice):
    by, project = factories.actor_of(alice), customer.projects.get()
    later = datetime.now(UTC) + timedelta(minutes=5)
    ledger.assign([device.pk], Act(by), customer=customer, project=project, reason="assignment")
    ledger.release([device.pk], Act(by, at=later), reason="unclaim")
    assert unit.post("messages", {"name": "x", "data": 1}).status_code == 202
    assert Message.objects.get().at >= later


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "postgresql" not in settings.DATABASES["default"]["ENGINE"], reason="SQLite has no connection to lose."
)
def test_a_message_gets_through_after_the_database_was_restarted(unit, monkeypatch):
    """As on every page: the connection is checked when a request starts, and reopened if it is broken."""
    assert unit.post("messages", {"name": "x", "data": 1}).status_code == 202
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg.connect(
        **connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}, autocommit=True
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    monkeypatch.setattr(connections["default"], "health_check_enabled", True)
    monkeypatch.setattr(connections["default"], "health_check_done", False)
    assert unit.post("messages", {"name": "x", "data": 2}).status_code == 202
    assert Message.objects.count() == 2
