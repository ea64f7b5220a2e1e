"""An exported list comes back edited: how the check classifies each row, and what is applied."""

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from console import words
from console.errors import Refused
from console.models import Event, Operation
from customers.directory import actions as customers
from customers.projects.actions import projects
from devices import ledger
from devices.actions import devices as device_actions
from devices.actions import ownership, undo
from devices.edited_exports import actions as roundtrips
from devices.models import Device, DeviceTag, Ownership, RoundTrip
from tests import factories
from tests.devices.roundtrips import (
    applied,
    as_csv,
    changes,
    checked,
    counts,
    edited_csv,
    edited_xlsx,
    exported,
    noticed,
    put,
    refused,
    rows_of,
    tags_of,
    workbook,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]


@pytest.fixture
def three(product, make_devices):
    """Three devices in stock."""
    return [factories.make_device(product, f"AQM26-{n}") for n in (1, 2, 3)]


def own(device, customer, by):
    ownership.assign([device.pk], customer=customer, by=by)
    device.refresh_from_db()


def test_the_export_has_what_a_round_trip_needs(staff_client, three, customer, by):
    type(customer).objects.update(reference="K-1001", reference_key="k-1001")
    own(three[0], customer, by)
    device_actions.edit(three[0], by=by, tags=["Pilot", "berlin"], notes="Line one\nline two")
    rows = rows_of(exported(staff_client))
    assert list(rows[0]) == [
        "serial_number",
        "device_name",
        "product",
        "status",
        "owner",
        "owner_reference",
        "tags",
        "notes",
        "imei",
        "iccid",
        "mac",
        "hardware_revision",
        "manufactured_on",
        "development",
        "registered_at",
        "version",
    ]
    told = {name: rows[0][name] for name in ("product", "status", "owner", "owner_reference", "tags", "notes")}
    assert told == {
        "product": "Aqua Meter",
        "status": "Owned",
        "owner": "Stadtwerke Aalen",
        "owner_reference": "K-1001",
        "tags": "berlin, Pilot",
        "notes": "Line one\nline two",
    }
    assert rows[0]["version"] != rows[1]["version"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_unedited_file_changes_nothing(form, staff_client, alice, three, customer, by, tmp_path):
    own(three[0], customer, by)
    device_actions.edit(three[1], by=by, tags=["=1+1", "a;b"], notes="-5 °C, then\n=SUM(A1)")
    row = checked(alice, exported(staff_client, form), f"devices.{form}")
    assert (counts(row), refused(row), row.summary["notices"]) == ((3, 0, 0), {}, [])


def test_each_edited_cell_is_applied(staff_client, alice, three, customer, other_customer, by):
    own(three[1], customer, by)
    own(three[2], customer, by)
    device_actions.edit(three[0], by=by, tags=["old", "kept"])
    content = edited_csv(
        staff_client,
        put(
            (0, "owner", "hallberg  utilities"),
            (0, "tags", "kept, New"),
            (0, "notes", "Note"),
            (1, "owner", "Hallberg Utilities"),
            (2, "owner", ""),
        ),
    )
    row = checked(alice, content)
    assert changes(row) == {
        2: {"owner": ["", "Hallberg Utilities"], "tags": ["kept, old", "kept, New"], "notes": ["", "Note"]},
        3: {"owner": ["Stadtwerke Aalen", "Hallberg Utilities"]},
        4: {"owner": ["Stadtwerke Aalen", ""]},
    }
    assert not Event.objects.filter(kind="device.edited", data__has_key="notes").exists()
    operation = roundtrips.apply(row, version=row.version, by=by, reason="Contract ended")
    assert (operation.state, operation.succeeded, operation.refused) == ("done", 3, 0)
    assert (operation.sentence, operation.title) == ("3 devices changed.", "Change 3 devices with devices.csv")
    for device in three:
        device.refresh_from_db()
    assert [d.customer for d in three] == [other_customer, other_customer, None]
    assert [d.status for d in three] == ["owned", "owned", "in_stock"]
    assert (tags_of(three[0]), three[0].notes) == (["kept", "New"], "Note")


def test_a_transfer_happens_at_one_instant_and_both_customers_can_see_it(
    staff_client, alice, three, customer, other_customer, by
):
    own(three[0], customer, by)
    operation = applied(alice, edited_csv(staff_client, put((0, "owner", "Hallberg Utilities"))), reason="Sold")
    old, new = Ownership.objects.filter(device=three[0]).order_by("started_at")
    assert (old.ended_at, old.end_reason, old.end_note) == (new.started_at, "transfer", "Sold")
    assert (new.start_reason, new.start_evidence, new.customer) == (
        "transfer",
        f"operation:{operation.pk}",
        other_customer,
    )
    told = Event.objects.filter(subject_kind="device", subject_id=three[0].pk).order_by("-pk")[:2]
    assert [(e.kind, e.object_label) for e in told] == [
        ("device.assigned", "Hallberg Utilities"),
        ("device.unclaimed", "Stadtwerke Aalen"),
    ]
    assert len({e.act for e in told}) == 1


def test_missing_columns_are_left_alone(staff_client, alice, three, customer, by):
    own(three[0], customer, by)
    device_actions.edit(three[0], by=by, tags=["a"], notes="Mine")
    rows = [
        {"device_name": r["device_name"], "tags": "b", "version": r["version"]} for r in rows_of(exported(staff_client))
    ]
    assert applied(alice, as_csv(rows)).succeeded == 3
    three[0].refresh_from_db()
    assert (tags_of(three[0]), three[0].notes, three[0].customer) == (["b"], "Mine", customer)


def test_emptying_tags_and_notes_removes_them(staff_client, alice, three, by):
    device_actions.edit(three[0], by=by, tags=["a", "b"], notes="Mine")
    assert applied(alice, edited_csv(staff_client, put((0, "tags", ""), (0, "notes", "")))).succeeded == 1
    three[0].refresh_from_db()
    assert (tags_of(three[0]), three[0].notes) == ([], "")
    told = Event.objects.get(kind="device.edited", data__notes=["Mine", ""])
    assert told.data == {"tags": ["a, b", ""], "notes": ["Mine", ""]}


def test_an_unclaim_needs_a_reason(staff_client, alice, three, customer, by):
    own(three[0], customer, by)
    content = edited_csv(staff_client, put((0, "owner", "")))
    with pytest.raises(Refused) as refusal:
        applied(alice, content)
    assert (refusal.value.code, refusal.value.status) == ("reason_missing", 422)
    assert Ownership.objects.get().ended_at is None
    assert not Operation.objects.exists()
    assert applied(alice, content, reason="It broke").succeeded == 1
    assert Ownership.objects.get().end_note == "It broke"


# The owner


def test_the_owner_can_be_set_by_name_or_reference_and_the_edited_cell_counts(
    staff_client, alice, three, customer, organization, by
):
    a = factories.make_customer(organization, "Twin", reference="K-1")
    b = factories.make_customer(organization, "Twin", reference="K-2")
    own(three[0], a, by)
    own(three[1], a, by)
    content = edited_csv(
        staff_client,
        put(
            (0, "owner_reference", "k-2"),
            (1, "owner", "Stadtwerke Aalen"),
            (2, "owner", "Twin"),
            (2, "owner_reference", "K-2"),
        ),
    )
    assert applied(alice, content, reason="Moved").succeeded == 3
    for device in three:
        device.refresh_from_db()
    assert [d.customer for d in three] == [b, customer, b]


@pytest.mark.parametrize(
    ("places", "sentence"),
    [
        ([(0, "owner", "Nobody Ltd")], "No customer is named “Nobody Ltd”. Create the customer first."),
        ([(0, "owner_reference", "K-9")], "No customer has the reference “K-9”."),
        ([(0, "owner", "Twin")], "2 customers are named “Twin”. Use the reference of the right one instead."),
        ([(0, "owner", "Gone")], "Gone is archived. Restore it first."),
        (
            [(0, "owner", "Stadtwerke Aalen"), (0, "owner_reference", "K-1")],
            "The reference “K-1” belongs to Twin, not to “Stadtwerke Aalen”. Correct one of them.",
        ),
        (
            [(1, "owner_reference", "")],
            "The owner's reference is empty, but the owner's name isn't. Clear both to unclaim.",
        ),
        ([(0, "device_name", "unknown-unit")], "No device has this name."),
        ([(0, "device_name", "")], "The device name is missing."),
        (
            [(0, "serial_number", "AQM26-9")],
            "Serial number: “AQM26-1” can't be changed to “AQM26-9” with a file. Restore the old value.",
        ),
        (
            [(0, "status", "Scrapped")],
            "Status: “In stock” can't be changed to “Scrapped” with a file. Restore the old value.",
        ),
        ([(0, "product", "")], "Product: “Aqua Meter” can't be cleared with a file. Restore the old value."),
        ([(0, "version", "")], "The column “version” was changed or cleared in this row. Export the list again."),
        (
            [(0, "tags", ",".join(f"t{n}" for n in range(21)))],
            "A device can have at most 20 tags, with at most 40 characters each.",
        ),
        ([(0, "notes", "x" * 2001)], "The note can have at most 2000 characters; this one has 2001."),
    ],
)
def test_an_impossible_change_is_refused_with_its_reason(
    places, sentence, staff_client, alice, three, customer, organization, by
):
    twin = factories.make_customer(organization, "Twin", reference="K-1")
    factories.make_customer(organization, "Twin", reference="K-2")
    customers.archive(factories.make_customer(organization, "Gone"), by=by)
    own(three[1], twin, by)
    row = checked(alice, edited_csv(staff_client, put(*places)))
    assert refused(row) == {places[0][0] + 2: sentence}
    assert counts(row) == (2, 0, 1)


def test_a_device_of_another_organization_is_reported_as_unknown(staff_client, alice, three, foreign_device):
    content = edited_csv(staff_client, put((0, "device_name", foreign_device.device_name), (0, "tags", "mine")))
    row = checked(alice, content)
    assert refused(row) == {2: "No device has this name."}
    assert not DeviceTag.objects.exists()


def test_a_customer_of_another_organization_is_reported_as_unknown(staff_client, alice, three, other_organization):
    factories.make_customer(other_organization, "Stranger", reference="S-1")
    row = checked(alice, edited_csv(staff_client, put((0, "owner", "Stranger"), (1, "owner_reference", "S-1"))))
    assert refused(row) == {
        2: "No customer is named “Stranger”. Create the customer first.",
        3: "No customer has the reference “S-1”.",
    }


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("reserved", "It is packed in an open shipment. Remove it from the shipment first."),
        ("returned", "It was returned and hasn't been inspected yet. Inspect it first."),
        ("scrapped", "It has been scrapped."),
    ],
)
def test_a_device_that_is_not_in_stock_accepts_notes_but_no_owner(
    status, sentence, staff_client, alice, three, customer
):
    ledger.set_status([three[0].pk], frm=["in_stock"], to=status)
    row = checked(alice, edited_csv(staff_client, put((0, "owner", customer.name))))
    assert refused(row) == {2: sentence}
    assert applied(alice, edited_csv(staff_client, put((0, "notes", "Mine")))).succeeded == 1


def test_an_archived_device_cannot_get_an_owner(staff_client, alice, three, customer, by):
    device_actions.archive([three[0].pk], by=by)
    row = checked(alice, edited_csv(staff_client, put((0, "owner", customer.name)), "&archived=on"))
    assert refused(row) == {2: "It is archived. Restore it first."}


def test_a_duplicate_device_is_refused(staff_client, alice, three):
    rows = rows_of(exported(staff_client))
    row = checked(alice, as_csv([*rows, rows[0] | {"device_name": rows[0]["device_name"].upper()}]))
    assert refused(row) == {5: "Same device name as row 2 (only upper/lower case differs)."}


# What changed since


def test_edited_rows_of_devices_changed_since_the_export_are_refused(staff_client, alice, three, customer, by):
    content = edited_csv(staff_client, put((0, "tags", "mine"), (2, "notes", "Mine")))
    device_actions.edit(three[0], by=by, notes="Theirs")
    own(three[1], customer, by)
    row = checked(alice, content)
    assert refused(row) == {
        2: "It has been changed in the console since this file was exported: Notes. Export it again."
    }
    # The second row was not edited, so its new owner stays and is no reason to refuse the row.
    assert (counts(row), changes(row)) == ((1, 1, 1), {4: {"notes": ["", "Mine"]}})
    roundtrips.apply(row, version=row.version, by=by)
    for device in three:
        device.refresh_from_db()
    assert [d.notes for d in three] == ["Theirs", "", "Mine"]
    assert (three[1].customer, tags_of(three[0])) == (customer, [])


def test_a_file_that_was_already_applied_changes_nothing_the_second_time(staff_client, alice, three, customer):
    content = edited_csv(staff_client, put((0, "tags", "mine"), (0, "owner", customer.name)))
    assert applied(alice, content).succeeded == 1
    assert counts(checked(alice, content)) == (3, 0, 0)


def test_a_customer_renamed_since_is_still_recognized_as_the_owner(staff_client, alice, three, customer, by):
    own(three[0], customer, by)
    content = edited_csv(staff_client, put((0, "notes", "Mine")))
    type(customer).objects.update(name="Werke Aalen", name_key="werke aalen")
    words.write("customer", dict.fromkeys(type(customer).objects.values_list("pk", flat=True), "Werke Aalen"))
    row = checked(alice, content)
    assert changes(row) == {2: {"notes": ["", "Mine"]}}


def test_a_column_that_was_sorted_on_its_own_is_detected(staff_client, alice, three):
    rows = rows_of(exported(staff_client))
    for row, version in zip(rows, [*[r["version"] for r in rows][1:], rows[0]["version"]], strict=True):
        row["version"] = version
    row = checked(alice, as_csv(rows))
    assert set(refused(row).values()) == {
        "The “version” in this row belongs to another device. Were the columns sorted separately?"
    }
    assert counts(row) == (0, 0, 3)


def test_without_versions_a_file_is_compared_with_the_current_values(staff_client, alice, three, customer, by):
    own(three[0], customer, by)
    rows = [{"Device": d.device_name, "Customer": "", "Tags": "x"} for d in three]
    row = checked(alice, as_csv(rows))
    assert noticed(row) == {"no_version": 3}
    assert changes(row)[2] == {"owner": ["Stadtwerke Aalen", ""], "tags": ["", "x"]}


def test_changes_between_preview_and_apply_are_refused_row_by_row(staff_client, alice, three, customer, by):
    row = checked(
        alice, edited_csv(staff_client, put((0, "notes", "A"), (1, "notes", "B"), (2, "owner", customer.name)))
    )
    device_actions.edit(three[0], by=by, notes="Theirs")
    ledger.set_status([three[2].pk], frm=["in_stock"], to="reserved")
    operation = roundtrips.apply(row, version=row.version, by=by)
    sentence = "It has been changed since the file was checked. Check the file again."
    assert (operation.succeeded, operation.refused) == (1, 2)
    assert list(operation.rows.order_by("position").values_list("position", "label", "sentence")) == [
        (2, "AQM26-1", sentence),
        (4, "AQM26-3", sentence),
    ]
    three[0].refresh_from_db()
    assert (three[0].notes, Ownership.objects.count()) == ("Theirs", 0)


def test_all_or_none_changes_nothing_if_one_row_fails(staff_client, alice, three, customer, by):
    row = checked(
        alice, edited_csv(staff_client, put((0, "notes", "A"), (1, "tags", "b"), (2, "owner", customer.name)))
    )
    device_actions.edit(three[1], by=by, notes="Theirs")
    before = Event.objects.count()
    with pytest.raises(Refused) as refusal:
        roundtrips.apply(row, version=row.version, by=by, is_whole=True)
    assert refusal.value.sentence == (
        "Nothing was changed. Row 3, AQM26-2: It has been changed since the file was checked. Check the file again."
    )
    assert (Event.objects.count(), Ownership.objects.count(), Operation.objects.count()) == (before, 0, 0)
    assert not Device.objects.filter(notes="A").exists()
    row.refresh_from_db()
    assert row.applied_at is None


def test_all_or_none_does_not_start_if_rows_are_refused(staff_client, alice, three, by):
    row = checked(alice, edited_csv(staff_client, put((0, "notes", "A"), (1, "device_name", "unknown-one"))))
    with pytest.raises(Refused) as refusal:
        roundtrips.apply(row, version=row.version, by=by, is_whole=True)
    assert (
        refusal.value.sentence
        == "1 row is refused, so nothing was changed. Correct the file, or apply only the other rows."
    )
    assert not Device.objects.filter(notes="A").exists()


def test_a_file_is_applied_only_once(staff_client, alice, three, by):
    row = checked(alice, edited_csv(staff_client, put((0, "notes", "A"))))
    again = RoundTrip.objects.get(pk=row.pk)
    roundtrips.apply(row, version=row.version, by=by)
    with pytest.raises(Refused) as refusal:
        roundtrips.apply(again, version=again.version, by=by)
    assert refusal.value.code == "applied_already"
    assert Event.objects.filter(kind="device.changes_applied").count() == 1


# Permissions


def test_fulfilment_may_assign_owners_and_change_nothing_else(
    staff_client, three, customer, other_customer, member, by
):
    own(three[1], customer, by)
    content = edited_csv(
        staff_client, put((0, "owner", customer.name), (1, "owner", "Hallberg Utilities"), (2, "notes", "Mine"))
    )
    row = checked(member("fulfilment"), content)
    assert refused(row) == {
        3: "You don't have permission to unclaim devices.",
        4: "You don't have permission to change tags and notes.",
    }
    assert changes(row) == {2: {"owner": ["", "Stadtwerke Aalen"]}}


def test_permissions_are_checked_again_for_the_person_who_applies_the_file(
    staff_client, alice, three, customer, member
):
    row = checked(alice, edited_csv(staff_client, put((0, "owner", customer.name), (1, "notes", "Mine"))))
    operation = roundtrips.apply(row, version=row.version, by=factories.actor_of(member("fulfilment")))
    assert (operation.succeeded, operation.refused) == (1, 1)
    assert operation.rows.get().sentence == "You don't have permission to change tags and notes."
    assert not Device.objects.filter(notes="Mine").exists()


def test_support_may_unclaim_fifty_devices_an_hour_including_transfers(
    staff_client, bob, product, customer, other_customer, by
):
    units = [factories.make_device(product) for _n in range(52)]
    ownership.assign([u.pk for u in units], customer=customer, by=by)

    def edit(rows):
        for number, row in enumerate(rows):
            row["owner"] = "Hallberg Utilities" if number % 2 else ""

    row = checked(bob, edited_csv(staff_client, edit))
    with pytest.raises(Refused) as refusal:
        roundtrips.apply(row, version=row.version, by=factories.actor_of(bob), reason="All")
    assert (refusal.value.code, refusal.value.status) == ("unclaim_limit", 403)
    assert Ownership.objects.filter(ended_at=None, customer=customer).count() == 52
    fewer = checked(bob, edited_csv(staff_client, lambda rows: edit(rows[:50])))
    assert roundtrips.apply(fewer, version=fewer.version, by=factories.actor_of(bob), reason="Some").succeeded == 50
    last = checked(bob, edited_csv(staff_client, lambda rows: put((50, "owner", ""))(rows)))
    with pytest.raises(Refused):
        roundtrips.apply(last, version=last.version, by=factories.actor_of(bob), reason="One more")


# Undo


def test_a_file_that_only_unclaims_can_be_undone(staff_client, alice, three, customer, by):
    own(three[0], customer, by)
    own(three[1], customer, by)
    operation = applied(alice, edited_csv(staff_client, put((0, "owner", ""), (1, "owner", ""))), reason="Mistake")
    assert operation.is_undoable(timezone.now())
    undone = undo.begin(operation, by=by)
    assert (undone.succeeded, undone.sentence) == (2, "2 devices are back with their owners.")
    assert Device.objects.filter(customer=customer).count() == 2


def test_a_file_that_only_assigns_to_one_customer_can_be_undone(staff_client, alice, three, customer, by):
    content = edited_csv(
        staff_client, put((0, "owner", customer.name), (1, "owner", customer.name), (2, "notes", "Mine"))
    )
    operation = applied(alice, content)
    undone = undo.begin(operation, by=by)
    assert (undone.succeeded, undone.sentence) == (2, "2 devices are no longer assigned.")
    assert not Device.objects.exclude(customer=None).exists()


def test_a_file_with_several_kinds_of_owner_changes_has_no_undo(
    staff_client, alice, three, customer, other_customer, by
):
    own(three[0], customer, by)
    operation = applied(
        alice, edited_csv(staff_client, put((0, "owner", ""), (1, "owner", customer.name))), reason="Mixed"
    )
    assert (operation.undo_route, operation.is_undoable()) == ("", False)


# As written by Excel


def test_a_workbook_can_be_edited_and_saved_again(staff_client, alice, three, customer, tmp_path, by):
    device_actions.edit(three[1], by=by, tags=["=evil()", "+1"], notes="_x0041_ and '=1")
    content = edited_xlsx(staff_client, tmp_path / "b.xlsx", put((0, "owner", customer.name), (0, "notes", "'=2")))
    row = checked(alice, content, "b.xlsx")
    assert changes(row) == {2: {"owner": ["", customer.name], "notes": ["", "'=2"]}}
    assert counts(row) == (2, 1, 0)


def test_semicolons_and_windows_1252_from_german_excel_are_read(staff_client, alice, three, organization, by):
    muller = factories.make_customer(organization, "Müller & Söhne")
    device_actions.edit(three[1], by=by, notes="Größe 1,5", tags=["łódź"])
    device_actions.edit(three[2], by=by, notes="→ Keller 😀")
    content = edited_csv(
        staff_client,
        put((0, "owner", "Müller & Söhne"), (0, "notes", "1,5 °C – kühl")),
        separator=";",
        encoding="cp1252",
        errors="replace",
    )
    row = checked(alice, content)
    assert row.summary["dialect"] == ["semicolons", "Windows-1252"]
    assert changes(row) == {2: {"owner": ["", "Müller & Söhne"], "notes": ["", "1,5 °C – kühl"]}}
    assert noticed(row) == {"lost_letters": 2}
    roundtrips.apply(row, version=row.version, by=by)
    for device in three:
        device.refresh_from_db()
    assert [d.notes for d in three] == ["1,5 °C – kühl", "Größe 1,5", "→ Keller 😀"]
    assert (three[0].customer, tags_of(three[1])) == (muller, ["łódź"])


def test_leading_zeros_dropped_by_excel_are_not_a_change(staff_client, alice, product):
    factories.make_device(product, "000123")
    row = checked(alice, edited_csv(staff_client, put((0, "serial_number", "123"), (0, "notes", "Mine"))))
    assert (noticed(row), changes(row)) == ({"lost_zeros": 1}, {2: {"notes": ["", "Mine"]}})


def test_numbers_and_dates_in_a_workbook_are_read_as_text(staff_client, alice, three, tmp_path):
    rows = rows_of(exported(staff_client))
    content = workbook(
        tmp_path / "n.xlsx",
        [{"device_name": rows[0]["device_name"], "notes": 15, "tags": 2026, "version": rows[0]["version"]}],
    )
    assert changes(checked(alice, content, "n.xlsx")) == {2: {"tags": ["", "2026"], "notes": ["", "15"]}}


def test_devices_go_to_the_default_project_of_the_new_owner(staff_client, alice, three, customer):
    applied(alice, edited_csv(staff_client, put((0, "owner", customer.name))))
    assert Ownership.objects.get().project == projects.default_of(customer)


def test_an_excel_error_is_refused_rather_than_read_as_empty(staff_client, alice, three, customer, by, tmp_path):
    own(three[0], customer, by)
    workbook(tmp_path / "x.xlsx", rows_of(exported(staff_client)))
    book = load_workbook(tmp_path / "x.xlsx")
    for (cell,) in book.active["E2":"E4"]:
        cell.value = "#N/A"
        cell.data_type = "e"
    book.save(tmp_path / "x.xlsx")
    assert refused(checked(alice, (tmp_path / "x.xlsx").read_bytes(), "devices.xlsx")) == {
        n: f"Cell E{n} shows the error #N/A. Correct it, or enter the value." for n in (2, 3, 4)
    }
    assert Ownership.objects.get(device=three[0]).ended_at is None


def test_an_excel_error_in_a_csv_file_is_refused_too(staff_client, alice, three, customer, by):
    own(three[0], customer, by)
    row = checked(alice, edited_csv(staff_client, put((0, "owner", "#REF!"))))
    assert refused(row) == {2: "Cell E2 shows the error #REF!. Correct it, or enter the value."}


def test_notes_that_look_like_an_error_survive_the_round_trip(staff_client, alice, three, by):
    device_actions.edit(three[0], by=by, tags=[], notes="#N/A")
    assert counts(checked(alice, exported(staff_client, "csv"))) == (3, 0, 0)
    assert counts(checked(alice, exported(staff_client, "xlsx"), "devices.xlsx")) == (3, 0, 0)
