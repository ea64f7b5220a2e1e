"""ETags: what is unchanged is not sent again, and a call with If-Match does nothing to what is another one by now."""

import pytest

from claims.shipments.actions import contents, shipments
from console.models import Event
from console.rest import preconditions
from console.rest.schema import built
from devices.models import Ownership
from tests import factories, processes
from tests.api import Caller, customer_key, key_of
from tests.extent import extent
from tests.rest.test_api_access import TABLE, address, ask, routes
from tests.rest.test_api_access import world as everything
from tests.rest.test_api_is_complete import calls

pytestmark = pytest.mark.django_db

world = everything
OLD = {"If-Match": '"00000000000000000000000000000000"'}
# Objects that are read in part only, by other addresses, or not at all: decision 65.
WITHOUT = {"person_edit", "person_remove", "domain_remove", "invitation_revoke", "ownership_release"}


@pytest.fixture(autouse=True)
def unthrottled(settings):
    settings.API_CALLS_A_MINUTE = 1_000_000


def singles():
    """(name, address) of the GET of each single object."""
    return [(name, path) for method, path, name in routes() if method == "get" and calls()[name].is_single]


def writes():
    """(method, name, address) of each call that changes something below an object."""
    found = []
    for method, path, name in routes():
        if method != "get" and (calls()[name].getter is not None or "<" in path) and TABLE[name][0] is not None:
            found.append((method, name, path))
    return found


def test_every_single_object_has_an_etag_and_is_not_sent_again_unchanged(api, world):
    assert len(singles()) > 20
    for name, path in singles():
        if TABLE[name][0] is None:
            continue
        url = address(path, world)
        first = api.get(url)
        if first.status_code in {404, 409, 422}:
            continue
        tag = first.headers["ETag"]
        assert tag.startswith('"'), name
        again = api.get(url, headers={"If-None-Match": f'W/{tag}, "other"'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag), name
        assert api.get(url, headers={"If-None-Match": OLD["If-Match"]}).status_code == 200, name
        assert api.get(url, headers={"If-None-Match": "*"}).status_code == 304, name


def test_a_call_for_what_is_another_one_by_now_does_nothing(api, world):
    for method, name, path in writes():
        caller = Headed(api, OLD)
        answer, has_traces = ask(caller, method, address(path, world), name)
        assert (answer.status_code, has_traces) == (412, False), (name, answer.status_code, answer.content)
        assert answer.json()["code"] == "precondition_failed"


def test_a_call_for_what_is_as_it_was_read_does_what_it_does_without(api, world):
    for method, name, path in writes():
        if name in WITHOUT:
            continue
        url = address(path, world)
        plain, plain_traces = ask(api, method, url, name)
        guarded, traces = ask(Headed(api, {"If-Match": "*"}), method, url, name)
        assert (guarded.status_code, traces) == (plain.status_code, plain_traces), name


class Headed:
    """A caller that sends these headers with every call."""

    def __init__(self, caller, headers):
        self.caller, self.headers = caller, headers

    def __getattr__(self, method):
        return lambda path, body=None, **query: getattr(self.caller, method)(path, body, headers=self.headers, **query)


def test_an_edit_gives_the_next_etag_and_the_old_one_opens_nothing(api, device):
    url = f"/devices/{device.pk}"
    tag = api.get(url).headers["ETag"]
    edited = api.patch(url, {"notes": "Shelf 4"}, headers={"If-Match": tag})
    assert (edited.status_code, edited.json()["notes"]) == (200, "Shelf 4")
    assert edited.headers["ETag"] == api.get(url).headers["ETag"] != tag
    late = api.patch(url, {"notes": "Shelf 5"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"], late.headers["ETag"]) == (
        412,
        "precondition_failed",
        edited.headers["ETag"],
    )
    assert api.get(url).json()["notes"] == "Shelf 4"
    assert (
        api.patch(url, {"tags": ["pilot"]}, headers={"If-Match": f'"x", {edited.headers["ETag"]}'}).status_code == 200
    )


@pytest.mark.parametrize("sent", ["W/{}", "nope", '"nope"', ""])
def test_a_weak_a_broken_and_another_tag_match_nothing(api, device, sent):
    tag = api.get(f"/devices/{device.pk}").headers["ETag"]
    answer = api.patch(f"/devices/{device.pk}", {"notes": "x"}, headers={"If-Match": sent.format(tag)})
    assert answer.status_code == 412
    assert not Event.objects.filter(kind="device.edited").exists()


def test_a_verb_is_compared_with_the_object_above_it(api, customer, device, alice):
    by = factories.actor_of(alice)
    shipment = shipments.create(customer=customer, lines={}, by=by)
    url = f"/shipments/{shipment.pk}"
    empty = api.get(url).headers["ETag"]
    contents.pack(shipment, [device], by=by)
    late = api.post(f"{url}/ship", headers={"If-Match": empty})
    assert (late.status_code, Ownership.objects.exists()) == (412, False)
    now = api.get(url).headers["ETag"]
    assert api.post(f"{url}/ship", headers={"If-Match": now, "Idempotency-Key": "a"}).status_code == 202
    # A repeat is told what it was told, though the shipment is another one by now.
    assert api.post(f"{url}/ship", headers={"If-Match": now, "Idempotency-Key": "a"}).status_code == 202
    owner = f"/devices/{device.pk}/owner"
    assert api.delete(owner, reason="x", headers=OLD).status_code == 412
    tag = api.get(f"/devices/{device.pk}").headers["ETag"]
    assert api.delete(owner, reason="x", headers={"If-Match": tag}).status_code == 200


def test_a_customer_s_key_has_its_own_etags(api, customer, dana, device, alice):
    from devices.actions import ownership

    ownership.assign([device.pk], customer=customer, by=factories.actor_of(alice))
    mine = Caller(customer_key(dana, customer))
    url = f"/devices/{device.pk}"
    assert mine.get(url).headers["ETag"] != api.get(url).headers["ETag"]
    call = {"kind": "variable", "name": "battery"}
    assert mine.post(f"{url}/calls", call, headers={"If-Match": mine.get(url).headers["ETag"]}).status_code == 202
    assert mine.post(f"{url}/calls", call, headers={"If-Match": api.get(url).headers["ETag"]}).status_code == 412


def test_the_document_names_the_headers_and_the_refusals():
    paths = built()["paths"]
    get, patch = paths["/api/v1/devices/{id}"]["get"], paths["/api/v1/devices/{id}"]["patch"]
    assert {each["name"] for each in get["parameters"] if each["in"] == "header"} == {"If-Match", "If-None-Match"}
    assert {"304", "412"} <= set(get["responses"])
    assert "ETag" in get["responses"]["200"]["headers"]
    assert "If-Match" in {each["name"] for each in patch["parameters"]}
    assert "412" in patch["responses"]
    assert "If-Match" in {each["name"] for each in paths["/api/v1/shipments/{id}/ship"]["post"]["parameters"]}
    assert "304" not in paths["/api/v1/devices"]["get"]["responses"]
    assert not any("x-single" in call for methods in paths.values() for call in methods.values())


def race(caller, path, tag):
    """How many of eight who send one ETag at once are done. Each writes what was never there: else nothing changes."""
    answers = processes.run(
        8,
        lambda number: number,
        lambda number: (
            caller.patch(path, {"notes": f"mine {number} after {tag}"}, headers={"If-Match": tag}).status_code
        ),
    )
    assert set(answers) <= {200, 412}, answers
    return answers.count(200)


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_eight_with_one_etag_one_is_done(alice, device):
    caller, url = Caller(key_of(alice)), f"/devices/{device.pk}"
    for _round in range(extent(1, 3)):
        assert race(caller, url, caller.get(url).headers["ETag"]) == 1


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_compared_before_the_transaction_more_than_one_is_done(alice, device, monkeypatch):
    """The negative control: check, then act."""
    meet = processes.meeting(8)

    def careless(request, act):
        getter, arguments = preconditions._object_of(request)
        tag = preconditions.of(getter.answer(request, getter.run(request, **arguments)).data)
        if not preconditions.is_among(tag, request.headers["If-Match"]):
            raise preconditions._failed("It is another one by now.")
        meet()
        return act()

    monkeypatch.setattr(preconditions, "guarded", careless)
    caller, url = Caller(key_of(alice)), f"/devices/{device.pk}"
    assert race(caller, url, caller.get(url).headers["ETag"]) > 1
