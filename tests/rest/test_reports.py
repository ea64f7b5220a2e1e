"""What devices said last of themselves, over REST: who may read it, and what it costs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.device_api import actions as reports
from devices.models import DeviceReport
from devices.models.message import DeviceReportQuerySet
from tests.devices.telling import publisher

pytestmark = pytest.mark.django_db
T = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)


def said(caller, device):
    """What the page of the device and the list of devices tell; both the same."""
    alone = caller.get(f"/devices/{device.pk}").json()
    (listed,) = [row for row in caller.get("/devices").json()["results"] if row["id"] == device.pk]
    assert listed == alone
    at = alone["reported_at"]
    return alone["firmware_version"], datetime.fromisoformat(at) if at else None


def test_a_device_reports_its_firmware_and_the_time_is_recorded(api, device):
    assert said(api, device) == (None, None)
    reports.report_firmware("1.4.2", by=publisher(device), at=T)
    assert said(api, device) == ("1.4.2", T)
    reports.report_firmware("1.4.2", by=publisher(device), at=T + HOUR)
    assert said(api, device) == ("1.4.2", T + HOUR)


@pytest.mark.parametrize(("at", "is_seen"), [(T - TICK, False), (T, True), (T + HOUR, True)])
def test_an_owner_reads_what_the_device_said_within_its_ownership(api, mine, device, customer, by, at, is_seen):
    if not is_seen:
        reports.report_firmware("1.4.2", by=publisher(device), at=at)
    ownership.assign([device.pk], customer=customer, by=by, at=T)
    if is_seen:
        # What comes after the handover is stamped no earlier than it.
        reports.report_firmware("1.4.2", by=publisher(device), at=at)
    assert said(mine, device) == (("1.4.2", at) if is_seen else (None, None))
    assert said(api, device) == ("1.4.2", at)


def test_the_next_owner_cannot_read_reports_from_the_last_ownership(mine, theirs, device, customer, other_customer, by):
    ownership.assign([device.pk], customer=customer, by=by, at=T)
    reports.report_firmware("1.4.2", by=publisher(device), at=T + HOUR - TICK)
    ownership.unclaim([device.pk], reason="x", by=by, at=T + HOUR)
    ownership.assign([device.pk], customer=other_customer, by=by, at=T + HOUR)
    assert said(theirs, device) == (None, None)
    assert mine.get(f"/devices/{device.pk}").status_code == 404
    reports.report_firmware("1.4.2", by=publisher(device), at=T + HOUR)
    assert said(theirs, device) == ("1.4.2", T + HOUR)


def test_without_the_look_at_the_ledger_the_next_owner_would_read_it(
    theirs, device, customer, other_customer, by, monkeypatch
):
    """The negative control."""
    monkeypatch.setattr(DeviceReportQuerySet, "for_customer", lambda self, actor: self)
    ownership.assign([device.pk], customer=customer, by=by, at=T)
    reports.report_firmware("1.4.2", by=publisher(device), at=T + TICK)
    ownership.unclaim([device.pk], reason="x", by=by, at=T + HOUR)
    ownership.assign([device.pk], customer=other_customer, by=by, at=T + HOUR)
    assert said(theirs, device) == ("1.4.2", T + TICK)


def test_customers_with_shared_access_cannot_read_the_report(theirs, device, other_customer, by):
    project = other_customer.projects.get()
    ledger.share([device.pk], Act(by, at=T), customer=other_customer, project=project, reason="claim")
    reports.report_firmware("1.4.2", by=publisher(device), at=T + HOUR)
    assert said(theirs, device) == (None, None)


def test_a_list_costs_the_same_for_one_and_for_many_and_a_join_at_most(api, mine, make_devices, customer, by):
    devices = make_devices(5)
    ownership.assign([device.pk for device in devices], customer=customer, by=by, at=T)

    def queries(caller, **query):
        with CaptureQueriesContext(connection) as caught:
            assert caller.get("/devices", **query).status_code == 200
        return [row["sql"] for row in caught]

    # The first call with a key writes down that it was used.
    queries(api), queries(mine)
    before = [len(queries(caller)) for caller in (api, mine)]
    for device in devices[:4]:
        reports.report_firmware("1.4.2", by=publisher(device), at=T)
    assert DeviceReport.objects.count() == 4
    assert [len(queries(caller)) for caller in (api, mine)] == before
    # Product, customer and report are joined to the device.
    (found,) = [sql for sql in queries(api, serial_number=devices[0].serial_number) if "serial_key" in sql]
    assert found.count(" JOIN ") == 3
