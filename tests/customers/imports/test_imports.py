"""Importing many customers from a file."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook

from console.errors import Refused
from console.imports import Verdict, uploads
from console.models import Event, Operation
from customers.directory import actions as customers
from customers.imports import CustomerFileKind
from customers.imports.actions import IMPORTER as imports
from customers.models import Customer, CustomerImport, Project
from tests import factories

pytestmark = pytest.mark.django_db

MESSY = """Kundenliste Stand 11/2026;;;;;;;
;;;;;;;
Kd.-Nr.;Firma;Art;E-Mail-Adresse;Straße;PLZ;Ort;Bemerkung
K-77;Ferro Agrícola;Firma;info@ferro.example;Hauptstr. 1;73430;Aalen;=1+1
k-77;Ferro again;Firma;;;;;
;Miriam Osei;Privat;not an address;;;;
;;Firma;x@y.example;;;;
;  Helder  Windparken ;;;;;;
;HELDER WINDPARKEN;;;;;;
K-9;Bad\u202eName;Firma;;;;;
K-10;Odd Kind;Behörde;;;;;
"""


@pytest.fixture
def taken(by):
    """Receive a text as a file, and return the checked import."""

    def take(text: str, name: str = "customers.csv", reading: dict | None = None) -> CustomerImport:
        row = imports.receive(name, [text.encode()], by=by)
        imports.check(row, by=by, reading=reading)
        return row

    return take


def counts(row: CustomerImport) -> dict[str, int]:
    return {name: row.summary[name] for name in ("new", "unchanged", "changed", "refused")}


def rows_of(row: CustomerImport, verdict: Verdict) -> list:
    return list(uploads.staging_of(row, CustomerFileKind).read(verdict))


def reasons(row: CustomerImport) -> dict[int, str]:
    return {each.number: each.reason for each in rows_of(row, Verdict.REFUSED)}


def names() -> list[str]:
    return sorted(Customer.objects.values_list("name", flat=True))


def test_every_fault_in_a_messy_german_file_is_reported_with_its_row(taken):
    row = taken(MESSY)
    assert counts(row) == {"new": 2, "unchanged": 0, "changed": 0, "refused": 6}
    assert reasons(row) == {
        5: "Same reference as row 4 (only upper/lower case differs).",
        6: "“not an address” is not an email address.",
        7: "The name is missing.",
        9: "Same customer as row 8. If they are different customers, give each a reference.",
        10: "Name: It contains an invisible control character (U+202E).",
        11: "Kind: write company, person or internal, not “Behörde”.",
    }
    assert {code: number for code, number, _rows in row.summary["notices"]} == {"spaces": 1, "formula": 1}


def test_valid_rows_become_customers_with_projects_and_events(taken, by, organization):
    row = taken(MESSY)
    imports.apply(row, version=row.version, by=by, good_rows=True)
    ferro, helder = Customer.objects.order_by("name")
    assert (ferro.reference, ferro.kind, ferro.email, ferro.notes) == ("K-77", "company", "info@ferro.example", "=1+1")
    assert ferro.address == "Hauptstr. 1\n73430 Aalen"
    assert (helder.name, helder.reference, helder.kind) == ("Helder Windparken", "", "company")
    assert (ferro.name_key, ferro.reference_key, ferro.email_key) == ("ferro agrícola", "k-77", "info@ferro.example")
    projects = Project.objects.order_by("name").values_list("customer", "name", "is_default", "organization")
    assert list(projects) == [
        (ferro.pk, "Ferro Agrícola", True, organization.pk),
        (helder.pk, "Helder Windparken", True, organization.pk),
    ]
    assert sorted(Event.objects.values_list("kind", "subject_label")) == [
        ("customer.file_applied", "customers.csv"),
        ("customer.imported", "Ferro Agrícola"),
        ("customer.imported", "Helder Windparken"),
    ]
    assert Event.objects.values("act").distinct().count() == 1
    row.refresh_from_db()
    assert row.outcome == {"new": 2, "unchanged": 0, "changed": 0, "refused": 6, "by": "Alice Kemp"}


def test_all_or_nothing_imports_nothing_if_a_row_is_refused(taken, by):
    row = taken(MESSY)
    with pytest.raises(Refused) as refusal:
        imports.apply(row, version=row.version, by=by)
    assert (refusal.value.code, Customer.objects.count(), Event.objects.count()) == ("rows_refused", 0, 0)


def test_importing_the_same_file_again_changes_nothing(taken, by):
    text = "name,reference,kind,phone\nFerro,K-1,company,+49 7361 55\nMiriam Osei,,person,\nFerro,K-2,company,\n"
    row = taken(text)
    imports.apply(row, version=row.version, by=by)
    assert counts(taken(text)) == {"new": 0, "unchanged": 3, "changed": 0, "refused": 0}
    assert names() == ["Ferro", "Ferro", "Miriam Osei"]


def test_an_exported_file_can_be_imported_unchanged(staff_client, taken, by, organization):
    factories.make_customer(
        organization, "=Ferro", reference="K-1", phone="+49 7361 5550", address="A 1\nB", notes="'quoted'"
    )
    factories.make_customer(organization, "Miriam Osei", kind="person", email="miriam@osei.example")
    answer = staff_client.get(reverse("customers:customer_export"), {"format": "csv"})
    exported = b"".join(answer.streaming_content).decode()
    assert counts(taken(exported)) == {"new": 0, "unchanged": 2, "changed": 0, "refused": 0}


def test_a_reference_matches_in_any_case_and_differences_are_applied(taken, by, organization):
    past = factories.make_customer(organization, "Ferro", reference="K-77", email="old@ferro.example")
    row = taken("reference,name,email,kind\nk-77,Ferro Agrícola,new@ferro.example,\n")
    assert counts(row) == {"new": 0, "unchanged": 0, "changed": 1, "refused": 0}
    imports.apply(row, version=row.version, by=by)
    past.refresh_from_db()
    assert (past.name, past.name_key, past.reference) == ("Ferro Agrícola", "ferro agrícola", "K-77")
    assert (past.email, past.email_key) == ("new@ferro.example", "new@ferro.example")
    assert Event.objects.get(kind="customer.edited").data == {
        "name": ["Ferro", "Ferro Agrícola"],
        "email": ["old@ferro.example", "new@ferro.example"],
    }


def test_an_empty_cell_changes_nothing(taken, organization):
    factories.make_customer(organization, "Ferro", reference="K-77", email="info@ferro.example", notes="Mind the dog")
    row = taken("reference,name,email,notes\nK-77,Ferro,,\n")
    assert counts(row) == {"new": 0, "unchanged": 1, "changed": 0, "refused": 0}


def test_without_a_reference_a_customer_is_matched_by_name_and_kind(taken, organization):
    factories.make_customer(organization, "Ferro", reference="K-1")
    row = taken("name,kind,phone\nFERRO,company,1234\nFerro,person,1234\n")
    assert [each.values["kind"] for each in rows_of(row, Verdict.CHANGED)] == ["company"]
    assert [each.values["kind"] for each in rows_of(row, Verdict.NEW)] == ["person"]


def test_a_customer_matched_by_name_gets_the_reference_of_its_row(taken, by, organization):
    past = factories.make_customer(organization, "Ferro")
    row = taken("name,reference\nFerro,K-1\n")
    imports.apply(row, version=row.version, by=by)
    past.refresh_from_db()
    assert (past.reference, past.reference_key, Customer.objects.count()) == ("K-1", "k-1", 1)


def test_the_same_name_with_another_reference_is_a_new_customer_with_a_warning(taken, organization):
    factories.make_customer(organization, "Ferro", reference="K-1")
    row = taken("name,reference\nFerro,K-2\n")
    assert counts(row) == {"new": 1, "unchanged": 0, "changed": 0, "refused": 0}
    assert row.summary["notices"] == [["same_name", 1, [2]]]


def test_a_name_shared_by_several_customers_needs_a_reference(taken, organization):
    factories.make_customer(organization, "Ferro", reference="K-1")
    factories.make_customer(organization, "Ferro", reference="K-2")
    row = taken("name\nFerro\n")
    assert reasons(row) == {2: "Several customers have this name. Add the reference of the right one."}


def test_two_rows_cannot_match_the_same_customer(taken, organization):
    factories.make_customer(organization, "Ferro", reference="K-1")
    row = taken("name,reference,phone\nFerro,K-1,1\nFerro,,2\n")
    assert reasons(row) == {3: "Row 2 is already for this customer."}


def test_a_duplicate_row_is_refused_with_one_sentence(taken, organization):
    factories.make_customer(organization, "Ferro")
    row = taken("name\nFerro\nFERRO\n")
    assert reasons(row) == {3: "Same customer as row 2. If they are different customers, give each a reference."}


def test_an_archived_customer_is_not_changed(taken, organization, by):
    past = factories.make_customer(organization, "Ferro", reference="K-1")
    customers.archive(past, by=by)
    row = taken("name,reference\nFerro Agrícola,K-1\nFerro,\n")
    sentence = "This customer is archived. Restore it first, then check the file again."
    assert reasons(row) == {2: sentence, 3: sentence}


def test_customers_of_another_organization_are_not_matched(taken, other_organization, by):
    foreign = factories.make_customer(other_organization, "Ferro", reference="K-1")
    row = taken("name,reference\nFerro Agrícola,K-1\n")
    assert counts(row) == {"new": 1, "unchanged": 0, "changed": 0, "refused": 0}
    imports.apply(row, version=row.version, by=by)
    foreign.refresh_from_db()
    assert foreign.name == "Ferro"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("name", "x" * 121, "Name: at most 120 characters; this one has 121."),
        ("reference", "x" * 61, "Reference: at most 60 characters; this one has 61."),
        ("phone", "1" * 41, "Phone: at most 40 characters; this one has 41."),
        ("address", "x" * 401, "Address: at most 400 characters; this one has 401."),
        ("notes", "x" * 2001, "Notes: at most 2000 characters; this one has 2001."),
        ("email", "a" * 250 + "@b.example", "Email: at most 254 characters; this one has 260."),
    ],
)
def test_overlong_values_are_refused_in_their_row(taken, column, value, said):
    text = f"name,{column}\nFerro,{value}\n" if column != "name" else f"name\n{value}\n"
    assert reasons(taken(text)) == {2: said}


def test_address_parts_are_joined_and_checked_as_one(taken):
    row = taken(f"name,street,zip,city,country\nFerro,Hauptstr. 1,73430,Aalen,Germany\nLong,{'x' * 399},1,2,\n")
    assert rows_of(row, Verdict.NEW)[0].values["address"] == "Hauptstr. 1\n73430 Aalen\nGermany"
    assert reasons(row) == {3: "Address: at most 400 characters; this one has 403."}


def test_numbers_created_by_excel_cause_a_warning(by):
    book = Workbook()
    for line in (["Customers of November"], ["Customer number", "Name", "Phone"], [77, "Ferro", 4973615550]):
        book.active.append(line)
    file = io.BytesIO()
    book.save(file)
    row = imports.receive("customers.xlsx", [file.getvalue()], by=by)
    imports.check(row, by=by)
    assert rows_of(row, Verdict.NEW)[0].values["reference"] == "77"
    assert {code for code, _count, _rows in row.summary["notices"]} >= {"number_references", "number_phones"}


def test_an_unrecognized_column_is_named_and_can_be_assigned(staff_client, taken):
    row = taken("Wer,Nummer\nFerro,K-1\n")
    page = staff_client.get(row.get_absolute_url()).content.decode()
    assert "No column was recognized as: Name." in page
    url = reverse("customers:customer_import_columns", args=[row.pk])
    assert staff_client.post(url, {"column_0": "name", "column_1": "name"}).status_code == 422
    assert staff_client.post(url, {"column_0": "name", "column_1": "reference"}).status_code == 302
    row.refresh_from_db()
    assert counts(row) == {"new": 1, "unchanged": 0, "changed": 0, "refused": 0}
    assert rows_of(row, Verdict.NEW)[0].values["reference"] == "K-1"


def test_a_customer_that_takes_the_reference_between_check_and_import_is_updated(taken, by, organization):
    row = taken("name,reference\nFerro,K-1\nHelder,K-2\n")
    factories.make_customer(organization, "Other", reference="k-1")
    imports.apply(row, version=row.version, by=by)
    assert sorted(Customer.objects.values_list("name", "reference")) == [("Ferro", "k-1"), ("Helder", "K-2")]


def test_a_customer_that_takes_the_name_between_check_and_import_is_updated(taken, by, organization):
    row = taken("name,phone\nFerro,1234\n")
    factories.make_customer(organization, "Ferro")
    imports.apply(row, version=row.version, by=by)
    assert Customer.objects.get().phone == "1234"


def test_a_customer_archived_since_the_check_stops_the_whole_import(taken, by, organization):
    past = factories.make_customer(organization, "Ferro", reference="K-1")
    row = taken("name,reference,phone\nFerro,K-1,1234\nHelder,K-2,\n")
    customers.archive(past, by=by)
    with pytest.raises(Refused) as refusal:
        imports.apply(row, version=row.version, by=by)
    past.refresh_from_db()
    assert (refusal.value.code, past.phone, names()) == ("rows_refused", "", ["Ferro"])


def test_a_file_is_applied_only_once(taken, by):
    row = taken("name\nFerro\n")
    imports.apply(row, version=row.version, by=by)
    stale = CustomerImport.objects.get()
    with pytest.raises(Refused) as refusal:
        imports.apply(stale, version=row.version, by=by)
    assert (refusal.value.code, names()) == ("applied_already", ["Ferro"])


def test_an_outdated_preview_cannot_be_applied(taken, by):
    row = taken("name\nFerro\n")
    imports.check(row, by=by)
    with pytest.raises(Refused) as refusal:
        imports.apply(row, version=row.version - 1, by=by)
    assert (refusal.value.code, Customer.objects.count()) == ("preview_outdated", 0)


def test_the_worker_imports_many_rows(taken, by, monkeypatch):
    monkeypatch.setattr(uploads, "APPLIED_IN_REQUEST", 2)
    monkeypatch.setattr(uploads, "CHECKED_IN_REQUEST", 2)
    row = taken("name,reference\n" + "".join(f"Customer {n},K-{n}\n" for n in range(5)))
    imports.run_check(_started_by_worker(row), by)
    row.refresh_from_db()
    Operation.objects.update(state="done")
    row = CustomerImport.objects.select_related("operation", "organization").get()
    imports.apply(row, version=row.version, by=by)
    operation = _started_by_worker(row)
    imports.run_apply(operation, by)
    assert (Customer.objects.count(), Project.objects.count()) == (5, 5)
    assert operation.sentence == "5 customers created."
    assert Operation.objects.get(pk=operation.pk).succeeded == 5


def _started_by_worker(row: CustomerImport) -> Operation:
    Operation.objects.filter(pk=row.operation_id).update(state="running")
    return Operation.objects.get(pk=row.operation_id)


def test_a_file_is_uploaded_reviewed_and_imported_in_the_browser(staff_client):
    upload = SimpleUploadedFile("kunden.csv", MESSY.encode())
    answer = staff_client.post(reverse("customers:customer_import"), {"file": upload})
    row = CustomerImport.objects.get()
    assert (answer.status_code, answer.url) == (302, row.get_absolute_url())
    page = staff_client.get(answer.url).content.decode()
    assert "Import 2 valid rows" in page
    assert "Same reference as row 4 (only upper/lower case differs)." in page
    staff_client.post(
        reverse("customers:customer_import_apply", args=[row.pk]), {"version": row.version, "good_rows": "1"}
    )
    assert names() == ["Ferro Agrícola", "Helder Windparken"]
    assert "Applied by Alice Kemp" in staff_client.get(row.get_absolute_url()).content.decode()


def test_rejected_rows_can_be_downloaded_with_their_reasons(staff_client, taken):
    row = taken(MESSY)
    answer = staff_client.get(reverse("customers:customer_import_refused", args=[row.pk]))
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert lines[0][:4] == ["Row", "Why", "Kd.-Nr.", "Firma"]
    assert [line[0] for line in lines[1:]] == ["5", "6", "7", "9", "10", "11"]


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"PK\x03\x04 no workbook"])
def test_a_file_that_is_not_a_table_is_refused_and_not_stored(staff_client, content):
    upload = SimpleUploadedFile("customers.xlsx", content)
    answer = staff_client.post(reverse("customers:customer_import"), {"file": upload})
    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]
    assert not CustomerImport.objects.exists()


def test_a_missing_file_is_reported_at_its_field(staff_client):
    answer = staff_client.post(reverse("customers:customer_import"), {})
    assert (answer.status_code, answer.context["form"].errors["file"]) == (422, ["Choose a file."])


def test_get_requests_import_nothing(staff_client, taken):
    row = taken("name\nFerro\n")
    staff_client.get(row.get_absolute_url())
    staff_client.get(reverse("customers:customer_import_apply", args=[row.pk]))
    staff_client.get(reverse("customers:customer_import_columns", args=[row.pk]))
    assert not Customer.objects.exists()


def test_another_organization_cannot_see_the_file(client_for, charlie, taken):
    row = taken("name\nFerro\n")
    for name in ("detail", "columns", "apply", "refused"):
        url = reverse(f"customers:customer_import_{name}", args=[row.pk])
        assert client_for(charlie).post(url, {"version": row.version}).status_code == 404
    assert not Customer.objects.exists()


def test_support_cannot_import_customers(client_for, bob, taken):
    row = taken("name\nFerro\n")
    upload = SimpleUploadedFile("customers.csv", b"name\nOther\n")
    client = client_for(bob)
    assert client.post(reverse("customers:customer_import"), {"file": upload}).status_code == 403
    url = reverse("customers:customer_import_apply", args=[row.pk])
    assert client.post(url, {"version": row.version}).status_code == 403
    assert (Customer.objects.count(), CustomerImport.objects.count()) == (0, 1)


def test_the_template_has_every_column(staff_client):
    answer = staff_client.get(reverse("customers:customer_import"), {"template": "1"})
    assert answer.content.decode("utf-8-sig").strip().startswith("name,kind,reference,email,phone,address,street")
