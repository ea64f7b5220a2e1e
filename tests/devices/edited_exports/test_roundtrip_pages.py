"""The pages of a round trip: export, upload, preview, columns, apply; ten thousand rows; and permissions."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from console import operations
from console.models import Event, Operation
from devices.actions import devices as device_actions
from devices.actions import ownership
from devices.edited_exports import actions as roundtrips
from devices.models import Device, DeviceTag, Ownership, RoundTrip
from tests import factories
from tests.devices.roundtrips import as_csv, edited_csv, edited_xlsx, exported, put, rows_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]
CREATE = reverse("devices:device_changes_create")


@pytest.fixture
def three(product):
    return [factories.make_device(product, f"AQM26-{n}") for n in (1, 2, 3)]


def upload(client, content, name="devices.csv"):
    return client.post(CREATE, {"file": SimpleUploadedFile(name, content)})


def url(name, row):
    return reverse(f"devices:device_changes_{name}", args=[row.pk])


def body(answer):
    return answer.content.decode()


def test_the_upload_page_offers_the_export_with_the_filters_of_the_list(staff_client, three):
    listed = body(staff_client.get("/devices/?status=in_stock"))
    assert f'href="{CREATE}?status=in_stock"' in listed
    page = body(staff_client.get(f"{CREATE}?status=in_stock"))
    assert "/devices/export/?format=xlsx&amp;status=in_stock" in page
    assert "The devices in your filtered list." in page


def test_a_file_that_is_not_a_table_is_refused_at_its_field(staff_client):
    answer = upload(staff_client, b"%PDF-1.7 ...", "devices.pdf")
    assert answer.status_code == 422
    assert "not a table" in body(answer)
    assert not RoundTrip.objects.exists()


def test_a_file_is_uploaded_reviewed_and_applied_in_the_browser(staff_client, alice, three, customer):
    ownership.assign([three[1].pk], customer=customer, by=factories.actor_of(alice))
    device_actions.edit(three[2], by=factories.actor_of(alice), tags=["old"])
    content = edited_csv(
        staff_client,
        put((0, "owner", customer.name), (1, "owner", ""), (2, "tags", "<b>new</b>"), (2, "notes", "Mine")),
    )
    answer = upload(staff_client, content)
    row = RoundTrip.objects.get()
    assert (answer.status_code, answer.url) == (302, row.get_absolute_url())
    page = body(staff_client.get(answer.url))
    assert "Change 3 devices…" in page
    assert "Assign:" in page and "Unclaim:" in page and "no owner" in page
    assert "&lt;b&gt;new&lt;/b&gt;" in page
    assert '<del class="tag">old</del>' in page
    assert Ownership.objects.count() == 1
    asked = body(staff_client.get(url("apply", row)))
    assert "Change 3 devices?" in asked and "Reason" in asked
    without = staff_client.post(url("apply", row), {"version": row.version, "reason": ""})
    assert without.status_code == 422
    assert Ownership.objects.get().ended_at is None
    done = staff_client.post(url("apply", row), {"version": row.version, "reason": "Contract ended"})
    operation = Operation.objects.get()
    assert (done.status_code, done.url) == (302, operation.get_absolute_url())
    assert "3 devices changed." in body(staff_client.get(done.url))
    after = body(staff_client.get(row.get_absolute_url()))
    assert "Applied by Alice Kemp" in after and "See the results" in after
    assert "Alice Kemp</strong> changed devices with" in body(staff_client.get("/activity/"))
    assert staff_client.get(url("apply", row)).status_code == 409


def test_no_reason_is_asked_if_no_owner_changes(staff_client, three):
    upload(staff_client, edited_csv(staff_client, put((0, "notes", "Mine"))))
    row = RoundTrip.objects.get()
    assert 'name="reason"' not in body(staff_client.get(url("apply", row)))
    assert staff_client.post(url("apply", row), {"version": row.version}).status_code == 302
    assert Device.objects.filter(notes="Mine").count() == 1


def test_an_outdated_preview_cannot_be_applied(staff_client, three):
    upload(staff_client, edited_csv(staff_client, put((0, "notes", "Mine"))))
    row = RoundTrip.objects.get()
    answer = staff_client.post(url("apply", row), {"version": row.version - 1})
    assert answer.status_code == 422
    assert "The file was checked again in the meantime. Check the new preview." in body(answer)
    assert not Device.objects.filter(notes="Mine").exists()


def test_an_unrecognized_header_can_be_corrected(staff_client, three):
    upload(staff_client, as_csv([{"Einheit": three[0].device_name, "Bemerkung": "Mine"}]))
    row = RoundTrip.objects.get()
    assert "No column was recognized as: Device name." in body(staff_client.get(row.get_absolute_url()))
    answer = staff_client.post(url("columns", row), {"column_0": "device_name", "column_1": "notes"})
    assert (answer.status_code, answer.url) == (302, row.get_absolute_url())
    assert "Change 1 device…" in body(staff_client.get(answer.url))


def test_the_rejected_rows_can_be_downloaded(staff_client, three):
    upload(staff_client, edited_csv(staff_client, put((1, "device_name", "unknown-unit"), (1, "notes", "=1"))))
    row = RoundTrip.objects.get()
    rows = rows_of(b"".join(staff_client.get(url("refused", row)).streaming_content))
    assert [(r["Row"], r["Why"], r["notes"]) for r in rows] == [("3", "No device has this name.", "'=1")]


def test_a_viewer_cannot_open_or_upload_files(staff_client, client_for, three):
    content = edited_csv(staff_client, put((0, "notes", "Mine")))
    upload(staff_client, content)
    row, viewer = RoundTrip.objects.get(), client_for("viewer")
    for answer in (upload(viewer, content), viewer.post(url("apply", row), {"version": row.version})):
        assert answer.status_code == 403
    assert (RoundTrip.objects.count(), Device.objects.filter(notes="Mine").count()) == (1, 0)
    assert CREATE not in body(viewer.get("/devices/"))


def test_another_organization_cannot_see_the_file(staff_client, client_for, charlie, three):
    upload(staff_client, edited_csv(staff_client, put((0, "notes", "Mine"))))
    row, stranger = RoundTrip.objects.get(), client_for(charlie)
    for name in ("detail", "columns", "apply", "refused"):
        assert stranger.get(url(name, row)).status_code == 404
    assert stranger.post(url("apply", row), {"version": row.version}).status_code == 404
    upload(stranger, exported(staff_client))
    foreign = RoundTrip.objects.latest("pk")
    assert foreign.summary["refused"] == 3
    assert body(stranger.get(foreign.get_absolute_url())).count("No device has this name.") == 3
    assert not Device.objects.filter(notes="Mine").exists()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_two_thousand_rows_are_left_to_the_worker(
    form, staff_client, alice, product, customer, other_customer, tmp_path, django_capture_on_commit_callbacks
):
    Device.objects.bulk_create(
        Device(
            organization=product.organization,
            product=product,
            serial_number=f"S-{n}",
            serial_key=f"s-{n}",
            device_name=f"unit-{n:06d}",
            name_key=f"unit-{n:06d}",
        )
        for n in range(2_000)
    )

    def edit(rows):
        for number, row in enumerate(rows):
            row["owner"] = (customer, other_customer)[number % 2].name
            row["tags"], row["notes"] = "berlin, pilot", f"Note {number}"
        rows[1321]["status"] = "Scrapped"

    content = edited_xlsx(staff_client, tmp_path / "b.xlsx", edit) if form == "xlsx" else edited_csv(staff_client, edit)
    upload(staff_client, content, f"devices.{form}")
    row = RoundTrip.objects.get()
    assert [row.summary[name] for name in ("unchanged", "changed", "refused")] == [0, 1_999, 1]
    done = staff_client.post(url("apply", row), {"version": row.version})
    operation = Operation.objects.get()
    assert (done.url, operation.state, operation.total) == (operation.get_absolute_url(), "waiting", 2_000)
    assert "Change 1,999 devices" in body(staff_client.get(row.get_absolute_url())) or row.applied_at is None
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.succeeded, operation.refused) == ("done", 1_999, 1)
    refused = operation.rows.get()
    assert (refused.position, refused.label) == (1323, "S-1321")
    assert refused.sentence == "Status: “In stock” can't be changed to “Scrapped” with a file. Restore the old value."
    assert Ownership.objects.filter(customer=customer).count() == 1_000
    assert Ownership.objects.filter(customer=other_customer).count() == 999
    assert DeviceTag.objects.count() == 3_998
    assert Device.objects.get(serial_number="S-77").notes == "Note 77"
    assert Event.objects.filter(kind="device.edited").count() == 1_999


def test_a_file_that_stopped_halfway_continues_when_uploaded_again(
    staff_client, alice, make_devices, customer, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(roundtrips, "CHUNK", 100)
    make_devices(250)
    content = edited_csv(staff_client, lambda rows: [row.update(owner=customer.name) for row in rows])
    upload(staff_client, content)
    row = RoundTrip.objects.get()
    staff_client.post(url("apply", row), {"version": row.version})
    portion, calls = roundtrips.Portion.apply, []

    def fail_at_the_third(self):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("a bug")
        return portion(self)

    with monkeypatch.context() as patch:
        patch.setattr(roundtrips.Portion, "apply", fail_at_the_third)
        operations.run(Operation.objects.get().pk)
    assert Ownership.objects.count() == 200
    page = body(staff_client.get(row.get_absolute_url()))
    assert "It stopped because of an unexpected error. Nothing was changed after that." in page
    assert "Upload the same file again to continue: devices that are already changed count as unchanged." in page
    upload(staff_client, content)
    again = RoundTrip.objects.latest("pk")
    assert [again.summary[name] for name in ("unchanged", "changed", "refused")] == [200, 50, 0]
