"""Lists as files over REST: what the console exports, with the filters of the API's lists."""

import csv
import io
from contextlib import nullcontext

import pytest
from openpyxl import load_workbook

from claims.returns.actions import returns
from claims.shipments.actions import shipments
from console.models import Event
from console.rest import exports
from console.rest.schema import built
from customers.directory import actions as customers
from devices.actions import devices as device_actions
from devices.actions import ownership
from tests import factories
from tests.api import Caller, customer_key, key_of
from tests.claims import worlds

pytestmark = pytest.mark.django_db
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LISTS = ["/devices", "/customers", "/events", "/claim-profiles", "/returns"]


@pytest.fixture
def three(product, customer, by):
    """Three devices; the customer owns the first."""
    found = [factories.make_device(product, f"AQM26-{n}") for n in (1, 2, 3)]
    ownership.assign([found[0].pk], customer=customer, by=by)
    return found


@pytest.fixture
def coming(three, customer, dana):
    """A return that the customer asked for."""
    return returns.request(three[0], customer=customer, reason="Defective", by=factories.actor_of(dana))


def table(answer):
    """The rows of a file as texts, header first, whatever its form."""
    assert answer.status_code == 200, answer.content
    assert answer.streaming
    content = b"".join(answer.streaming_content)
    if answer["Content-Type"] == XLSX:
        sheet = load_workbook(io.BytesIO(content)).active
        return [["" if v is None else str(v) for v in line] for line in sheet.iter_rows(values_only=True)]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def column(answer, name):
    header, *rows = table(answer)
    return [row[header.index(name)] for row in rows]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_devices_are_exported_as_the_console_exports_them(form, api, three, client_for, alice):
    device_actions.edit(three[1], by=factories.actor_of(alice), notes="=1+1", tags=["pilot"])
    ours = api.get(f"/devices.{form}")
    assert ours["Content-Disposition"].startswith('attachment; filename="devices-')
    assert ours["Cache-Control"] == "no-store"
    header, *rows = table(ours)
    console = table(client_for(alice).get(f"/devices/export/?format={form}"))
    assert header == console[0]
    when = header.index("registered_at")
    assert [row[:when] for row in rows] == [row[:when] for row in console[1:]]
    assert [row[header.index("version")] for row in rows] == [row[-1] for row in console[1:]]
    assert [row[0] for row in rows] == ["AQM26-1", "AQM26-2", "AQM26-3"]
    assert rows[1][header.index("notes")] == ("'=1+1" if form == "csv" else "=1+1")


@pytest.mark.parametrize(
    "query",
    [{"q": "AQM26-1"}, {"serial_number": "aqm26-1"}, {"current": "true"}, {"status": "owned"}, {"tag": "PILOT"}],
)
def test_the_filters_are_those_of_the_list(query, api, three, by):
    device_actions.edit(three[0], by=by, tags=["pilot"])
    listed = [row["serial_number"] for row in api.get("/devices", **query).json()["results"]]
    assert column(api.get("/devices.csv", **query), "serial_number") == listed == ["AQM26-1"]


def test_a_file_has_no_pages_and_no_unknown_filters(api, three):
    for query in ({"limit": "1"}, {"cursor": "x"}, {"format": "xlsx"}, {"status": "lost"}):
        assert api.get("/devices.csv", **query).status_code == 400
    assert api.get("/devices.csv", tag="nothing").status_code == 422
    assert api.get("/devices.pdf").status_code == 404
    assert api.post("/devices.csv", {}).status_code == 405


def test_customers_are_exported_with_the_filters_of_their_list(api, three, customer, by):
    customers.create(name="Hallberg Utilities", reference="C-7", kind="company", by=by)
    assert set(column(api.get("/customers.csv"), "name")) == {customer.name, "Hallberg Utilities"}
    assert column(api.get("/customers.xlsx", has_devices="true"), "name") == [customer.name]
    assert column(api.get("/customers.csv", reference="c-7"), "name") == ["Hallberg Utilities"]


def test_events_are_exported_by_kind_and_thing(api, three):
    everything = table(api.get("/events.csv"))
    assert len(everything) == Event.objects.count() + 1
    header, line = table(api.get("/events.csv", kind="device.assigned", about=f"device:{three[0].pk}"))
    said = dict(zip(header, line, strict=True))
    assert (said["kind"], said["actor"], said["subject"], said["object"]) == (
        "device.assigned",
        "Alice Kemp",
        "AQM26-1",
        "Stadtwerke Aalen",
    )
    assert api.get("/events.csv", about="nonsense").status_code == 400


def test_claim_profiles_are_exported_by_their_scope(api, product, organization):
    worlds.make_unit_profile(product)
    worlds.make_link_profile(organization)
    assert set(column(api.get("/claim-profiles.csv"), "identifier")) == {"units", "north-pilot"}
    assert column(api.get("/claim-profiles.csv", scope="link", enabled="true"), "identifier") == ["north-pilot"]
    assert column(api.get("/claim-profiles.xlsx", enabled="false"), "identifier") == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_exports_of_device_codes_are_logged(form, api, product, three, alice):
    profile = worlds.make_unit_profile(product)
    header, *rows = table(api.get(f"/claim-profiles/units/units.{form}"))
    assert header == ["serial_number", "device_name", "typed_code", "link", "version"]
    (said,) = api.get(f"/devices/{three[0].pk}/claim-codes").json()["results"]
    assert rows[0] == ["AQM26-1", three[0].device_name, said["typed_code"], said["link"], "1"]
    event = Event.objects.get(kind="claim_profile.codes_exported")
    assert (event.subject_id, event.actor_label) == (profile.pk, "Alice Kemp (Line 3)")


def test_a_profile_with_one_code_has_no_device_codes(api, organization):
    profile = worlds.make_link_profile(organization)
    answer = api.get(f"/claim-profiles/{profile.pk}/units.csv")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_unit_codes")
    assert not Event.objects.filter(kind="claim_profile.codes_exported").exists()


def test_returns_are_exported_with_the_filters_of_their_list(api, coming):
    header, line = table(api.get("/returns.csv"))
    said = dict(zip(header, line, strict=True))
    assert (said["Number"], said["State"], said["Serial number"]) == ("R-00001", "Requested", "AQM26-1")
    assert len(table(api.get("/returns.csv", state="open", customer=coming.customer_id))) == 2
    assert len(table(api.get("/returns.xlsx", state="received"))) == 1
    assert len(table(api.get("/returns.csv", needs_label="true"))) == 1
    answer = api.get("/returns.csv", reason="Because")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_devices_of_a_shipment_are_exported(form, api, product, three, customer, by):
    shipment = shipments.create(customer=customer, lines={product: 1}, order_number="PO-9", by=by)
    assert api.post(f"/shipments/{shipment.pk}/pack", {"scans": ["AQM26-2"]}).status_code == 200
    header, line = table(api.get(f"/shipments/{shipment.pk}/units.{form}"))
    said = dict(zip(header, line, strict=True))
    assert (said["Order"], said["Serial number"], said["Packed by"]) == ("PO-9", "AQM26-2", "Alice Kemp (Line 3)")


def test_the_words_do_not_follow_the_language_of_the_caller(api, coming, monkeypatch):
    german = {"accept-language": "de"}
    english = table(api.get("/returns.csv"))
    assert table(api.get("/returns.csv", headers=german)) == english
    assert english[0][:3] == ["Number", "State", "Serial number"]
    # The control: without the guard, they do.
    monkeypatch.setattr(exports, "override", lambda language: nullcontext())
    assert table(api.get("/returns.csv", headers=german)) != english


def test_times_are_utc(api, three, organization):
    type(organization).objects.filter(pk=organization.pk).update(time_zone="Asia/Tokyo")
    assert all(at.endswith("+00:00") for at in column(api.get("/devices.csv"), "registered_at"))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("path", LISTS)
def test_another_organization_s_key_gets_none_of_it(path, form, charlie, three, coming, product, organization):
    worlds.make_unit_profile(product)
    content = str(table(Caller(key_of(charlie)).get(f"{path}.{form}")))
    assert not any(word in content for word in ("AQM26", "Aalen", "Units", "R-00001"))


def test_a_customer_s_key_exports_nothing(dana, customer, coming):
    caller = Caller(customer_key(dana, customer))
    for path in LISTS:
        assert caller.get(f"{path}.csv").status_code == 403


def test_the_document_says_what_each_address_answers():
    paths = built()["paths"]
    for path in [*LISTS, "/claim-profiles/{key}/units", "/shipments/{id}/units"]:
        for form, media in exports.FORMS.items():
            call = paths[f"/api/v1{path}.{form}"]["get"]
            assert list(call["responses"]["200"]["content"]) == [media]
            assert {p["name"] for p in call.get("parameters", [])} & {"limit", "cursor"} == set()
    listed = {p["name"] for p in paths["/api/v1/devices"]["get"]["parameters"]}
    assert {p["name"] for p in paths["/api/v1/devices.csv"]["get"]["parameters"]} == listed - {"limit", "cursor"}
