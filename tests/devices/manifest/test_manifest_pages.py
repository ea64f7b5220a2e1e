"""The pages of a manifest: upload, preview, columns, apply, rejected rows; and permissions."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from console.models import Event, Operation
from devices.models import Device, ManifestImport
from tests import factories
from tests.devices.manifests import AQUA, GATEWAY, MESSY, applied, checked, counts, refused, text, workbook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]
CREATE = reverse("devices:manifest_create")
HEAD = "serial_number,device_name"
NAMES = [f"unit-{n:06d}" for n in range(9)]


def upload(client, product, content, name="lot.csv", **headers):
    form = {"product": product.pk if product else "", "file": SimpleUploadedFile(name, content)}
    return client.post(CREATE, form, **headers)


def url(name, manifest):
    return reverse(f"devices:manifest_{name}", args=[manifest.pk])


def body(answer):
    return answer.content.decode()


def test_an_uploaded_file_is_checked_and_shown(staff_client, product):
    answer = upload(staff_client, product, MESSY.read_bytes(), "messy-lot.csv")
    manifest = ManifestImport.objects.get()
    assert (answer.status_code, answer.url) == (302, manifest.get_absolute_url())
    page = body(staff_client.get(answer.url))
    assert "Import 192 valid rows" in page
    assert "Same serial number as row 4 (only upper/lower case differs)." in page
    assert "200 rows" in page
    assert "semicolons, UTF-8" in page
    assert not Device.objects.exists()


def test_a_clean_file_is_uploaded_reviewed_and_applied_in_the_browser(staff_client, product, monkeypatch):
    monkeypatch.setattr("console.imports.uploads.APPLIED_IN_REQUEST", 10_000)
    page = staff_client.get(upload(staff_client, product, AQUA.read_bytes()).url)
    assert "Import all 5,000 rows" in body(page)
    manifest = ManifestImport.objects.get()
    answer = staff_client.post(url("apply", manifest), {"version": manifest.version})
    assert (answer.status_code, answer.url) == (302, manifest.get_absolute_url())
    done = body(staff_client.get(answer.url))
    assert "Applied by Alice Kemp" in done
    assert "See the devices" in done
    assert Device.objects.count() == 5000


def test_valid_rows_are_applied_on_request(staff_client, product):
    upload(staff_client, product, MESSY.read_bytes())
    manifest = ManifestImport.objects.get()
    staff_client.post(url("apply", manifest), {"version": manifest.version, "good_rows": "1"})
    assert Device.objects.count() == 192
    assert Event.objects.get(kind="manifest.applied").actor_label == "Alice Kemp"


def test_without_consent_to_leave_rows_out_nothing_is_imported(staff_client, product):
    upload(staff_client, product, MESSY.read_bytes())
    manifest = ManifestImport.objects.get()
    answer = staff_client.post(url("apply", manifest), {"version": manifest.version})
    assert answer.status_code == 409
    assert "8 rows are refused, so nothing is imported." in body(answer)
    assert not Device.objects.exists()


@pytest.mark.parametrize("form", [{}, {"version": "x"}, {"version": "99999999999999999999"}, {"version": "-1"}])
def test_an_invalid_form_leads_back_to_the_preview(staff_client, product, form):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    answer = staff_client.post(url("apply", manifest), form)
    assert (answer.status_code, answer.url) == (302, manifest.get_absolute_url())
    assert not Device.objects.exists()


def test_a_get_request_applies_nothing(staff_client, product):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    assert staff_client.get(url("apply", manifest), {"version": manifest.version}).status_code == 302
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\n\n;;\n", "The file contains no rows."),
        (b"%PDF-1.7 nothing", "This is a PDF file, not a table."),
        (b"\x01\x02\x03\x04" * 64, "This is neither text nor a workbook."),
        (b"PK\x03\x04 broken", "The workbook is damaged."),
    ],
)
def test_a_file_that_is_not_a_table_is_refused_at_its_field_and_the_product_is_kept(
    staff_client, product, content, sentence, tmp_path
):
    other = factories.make_product(product.organization, "Wind Gauge")
    answer = upload(staff_client, other, content)
    assert answer.status_code == 422
    assert sentence in str(answer.context["form"].errors["file"])
    assert f'<option value="{other.pk}" selected>' in body(answer)
    assert not ManifestImport.objects.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_that_is_too_large_is_refused_at_its_field(staff_client, product, settings):
    settings.UPLOAD_LIMIT = 2 * 1024 * 1024
    answer = upload(staff_client, product, b"S/N;Device ID\n" + b"x" * 3 * 1024 * 1024)
    assert answer.status_code == 422
    assert answer.context["form"].errors["file"] == [
        "The file is larger than 2 MB. Split it, or remove what you don't need."
    ]
    assert f'<option value="{product.pk}" selected>' in body(answer)
    assert not ManifestImport.objects.exists()


def test_an_empty_form_says_what_is_missing(staff_client, product):
    factories.make_product(product.organization, "Wind Gauge")
    answer = staff_client.post(CREATE)
    assert answer.status_code == 422
    assert answer.context["form"].errors == {
        "product": ["Choose the product of the devices."],
        "file": ["Choose a file."],
    }


def test_an_archived_product_or_one_of_another_organization_cannot_be_chosen(staff_client, product, foreign_device):
    answer = upload(staff_client, foreign_device.product, text(HEAD, f"S-1,{NAMES[0]}"))
    assert (answer.status_code, ManifestImport.objects.count()) == (422, 0)


def test_the_only_product_and_the_one_in_the_link_are_preselected(staff_client, product):
    assert f'<option value="{product.pk}" selected>' in body(staff_client.get(CREATE))
    other = factories.make_product(product.organization, "Wind Gauge")
    assert f'<option value="{other.pk}" selected>' in body(staff_client.get(CREATE, {"product": other.pk}))
    for nonsense in ("x", "999999999999999999999", "-1"):
        assert staff_client.get(CREATE, {"product": nonsense}).status_code == 200


def test_the_template_has_every_column_and_can_be_read_back(staff_client, product):
    answer = staff_client.get(CREATE, {"template": "1"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    manifest = checked(product, answer.content + b",".join(b"" for _n in range(11)) + b"\r\n,,,,,,,,,,x\r\n")
    assert len(manifest.summary["header"]["mapping"]) == 11
    assert manifest.summary["missing"] == []


def test_a_file_that_was_applied_before_is_recognized(staff_client, product):
    content = text(HEAD, f"S-1,{NAMES[0]}")
    first = applied(product, content)
    answer = staff_client.get(upload(staff_client, product, content).url)
    assert "This file was already imported into Aqua Meter on" in body(answer)
    assert first.get_absolute_url() in body(answer)
    assert "There is nothing to import." in body(answer)


def test_an_unrecognized_column_can_be_assigned(staff_client, product):
    answer = upload(staff_client, product, text("Article;Code", f"S-1;{NAMES[0]}"))
    manifest = ManifestImport.objects.get()
    page = body(staff_client.get(answer.url))
    assert "No column was recognized as: Serial number, Device name." in page
    assert "Apply" not in page.split("<main")[1].split("Earlier")[0].replace("Applied", "")
    form = {"column_0": "serial_number", "column_1": "device_name"}
    assert staff_client.post(url("columns", manifest), form).status_code == 302
    manifest.refresh_from_db()
    assert counts(manifest) == (1, 0, 0, 0)


def test_two_columns_cannot_be_assigned_the_same_field(staff_client, product):
    manifest = checked(product, text("S/N,Device ID,Remark", f"S-1,{NAMES[0]},x"))
    form = {"column_0": "serial_number", "column_1": "device_name", "column_2": "device_name"}
    answer = staff_client.post(url("columns", manifest), form)
    assert answer.status_code == 422
    assert answer.context["form"].errors["column_2"] == ["“Device ID” is already set to this. Choose one of them."]
    manifest.refresh_from_db()
    assert counts(manifest) == (1, 0, 0, 0)


@pytest.mark.parametrize("form", [{"column_0": "nonsense"}, {"pad": "x"}, {"pad": "65"}, {"sheet": "x"}, {}])
def test_invalid_columns_are_refused_and_the_preview_is_kept(staff_client, product, form):
    manifest = checked(product, text("S/N,Device ID", f"S-1,{NAMES[0]}"))
    assert staff_client.post(url("columns", manifest), form).status_code == 422
    manifest.refresh_from_db()
    assert counts(manifest) == (1, 0, 0, 0)


def test_padding_is_chosen_with_a_button(staff_client, product):
    answer = upload(staff_client, product, GATEWAY.read_bytes(), "gateway.xlsx")
    manifest = ManifestImport.objects.get()
    page = body(staff_client.get(answer.url))
    assert "Excel turned 240 serial numbers into numbers, and leading zeros are lost. The others have 6 digits." in page
    assert "Pad to 6 digits" in page
    staff_client.post(url("columns", manifest), {"pad": "6"})
    manifest.refresh_from_db()
    assert counts(manifest) == (1200, 0, 0, 0)
    assert "Import all 1,200 rows" in body(staff_client.get(answer.url))


def test_another_sheet_of_a_workbook_can_be_read(staff_client, product, tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Serial", "Device name"])
    book.active.append(["S-0", NAMES[1]])
    book.create_sheet("Lot 2").append(["Serial", "Device name"])
    book["Lot 2"].append(["S-1", NAMES[0]])
    book.save(tmp_path / "two.xlsx")
    manifest = checked(product, (tmp_path / "two.xlsx").read_bytes(), "two.xlsx")
    assert manifest.summary["sheet"] == "Sheet"
    page = body(staff_client.get(manifest.get_absolute_url()))
    assert "The sheet “Sheet” is read. Choose another sheet?" in page
    assert '<button class="button small" name="sheet" value="Lot 2">' in page
    staff_client.post(url("columns", manifest), {"sheet": "Lot 2"})
    manifest.refresh_from_db()
    assert (counts(manifest), manifest.summary["sheet"]) == ((1, 0, 0, 0), "Lot 2")
    staff_client.post(url("columns", manifest), {"sheet": "Sheet", "column_0": "-", "column_1": "-"})
    manifest.refresh_from_db()
    assert manifest.summary["dialect"] == ["sheet Sheet"]


def rows_of(answer):
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_rejected_rows_are_downloaded_as_they_came_with_their_reason(staff_client, product):
    manifest = checked(product, MESSY.read_bytes(), "messy-lot.csv")
    answer = staff_client.get(url("refused", manifest))
    assert 'filename="messy-lot-refused-' in answer["Content-Disposition"]
    rows = rows_of(answer)
    assert rows[0] == ["Row", "Why", "S/N", "Device ID", "IMEI", "Remark"]
    assert rows[1][:4] == [
        "5",
        "Same serial number as row 4 (only upper/lower case differs).",
        "AQM26-900002",
        "e00fce6808caf7f97d0bf97e",
    ]
    assert rows[-1] == [
        "92",
        "This row has 5 values but the header has 4.",
        "aqm26-900090",
        "e00fce68762d55f3e8b923b1",
        "352656107459359",
        "",
        "one column too many",
    ]
    assert [int(row[0]) for row in rows[1:]] == [5, 12, 22, 23, 32, 72, 82, 92]


def test_rejected_rows_come_back_unchanged(staff_client, product):
    """=, +, - and @ are exported with an apostrophe, so that no spreadsheet computes them, and come back without it."""
    odd = {
        "=1+2": "=1+2",
        "+49 (1)": "+49 (1)",
        "-x": "-x",
        "@x": "@x",
        "'=x": "=x",
        "''=x": "'=x",
        "'plain": "'plain",
        " spaced ": "spaced",
        "a;b": "a;b",
        'say "x"': 'say "x"',
        "tab\there": "tab\there",
        "-5": "-5",
        "line\nbreak": "line\nbreak",
    }
    quoted = [value.replace('"', '""') for value in odd]
    manifest = checked(product, text("S/N,Device ID,Remark", *(f'S-{n},bad,"{v}"' for n, v in enumerate(quoted))))
    first = b"".join(staff_client.get(url("refused", manifest)).streaming_content)
    assert b",'=1+2\r\n" in first
    again = checked(product, first, "again.csv")
    assert (counts(manifest), counts(again)) == ((0, 0, 0, len(odd)), (0, 0, 0, len(odd)))
    second = list(csv.reader(io.StringIO(b"".join(staff_client.get(url("refused", again)).streaming_content).decode())))
    assert [row[2:] for row in second] == [row[2:] for row in csv.reader(io.StringIO(first.decode()))]
    names = iter(f"good-{n}".encode() for n in range(len(odd)))
    applied(product, re.sub(b",bad,", lambda _found: b"," + next(names) + b",", first))
    assert list(Device.objects.order_by("pk").values_list("notes", flat=True)) == list(odd.values())


def test_a_file_rejected_twice_has_one_reason_column(staff_client, product):
    manifest = checked(product, text(HEAD, "S-1,bad"))
    first = b"".join(staff_client.get(url("refused", manifest)).streaming_content)
    rows = rows_of(staff_client.get(url("refused", checked(product, first))))
    assert rows[0] == ["Row", "Why", "serial_number", "device_name"]
    assert rows[1][2:] == ["S-1", "bad"]


def test_rejected_rows_of_a_workbook_keep_their_digits(staff_client, product, tmp_path):
    content = workbook(tmp_path / "a.xlsx", [["Serial", "Device name"], [12000, NAMES[0]], ["012001", NAMES[1]]])
    manifest = checked(product, content, "a.xlsx")
    assert rows_of(staff_client.get(url("refused", manifest)))[1][2:] == ["12000", NAMES[0]]


def test_rejected_rows_can_be_downloaded_as_a_workbook(staff_client, product):
    manifest = checked(product, text(HEAD, "S-1,bad"))
    answer = staff_client.get(url("refused", manifest), {"format": "xlsx"})
    assert b"".join(answer.streaming_content).startswith(b"PK")


def test_without_rejected_rows_the_download_is_a_sentence(staff_client, product):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    answer = staff_client.get(url("refused", manifest))
    assert (answer.status_code, "No row of this file was refused." in body(answer)) == (409, True)


def test_markup_and_formulas_in_a_file_are_shown_as_text(staff_client, product):
    manifest = checked(product, text(HEAD, "<script>alert(1)</script>,bad", "=cmd,<b>worse</b>"))
    page = body(staff_client.get(manifest.get_absolute_url()))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_file_name_that_looks_like_markup_is_shown_as_text(staff_client, product):
    upload(staff_client, product, text(HEAD, f"S-1,{NAMES[0]}"), "<img src=x>\u202e.csv")
    page = body(staff_client.get(ManifestImport.objects.get().get_absolute_url()))
    assert "<img src=x>" not in page
    assert "\u202e" not in page


def test_the_preview_of_changes_shows_the_old_values(staff_client, product):
    factories.make_device(product, "S-1", device_name=NAMES[0], hardware_revision="B1")
    manifest = checked(product, text(f"{HEAD},rev", f"S-1,{NAMES[0]},B2"))
    page = body(staff_client.get(manifest.get_absolute_url()))
    assert "What changes" in page
    assert "Hardware revision:</span> B1" in page


def test_the_page_shows_the_first_two_hundred_refused_rows_and_counts_the_others(staff_client, product):
    manifest = checked(product, text(HEAD, *(f"S-{n},bad" for n in range(1234))))
    page = body(staff_client.get(manifest.get_absolute_url()))
    assert page.count('class="bad-text"') == 200
    assert "and 1,034 more" in page
    assert len(page) < 90_000


def test_the_page_polls_while_the_worker_runs_and_reloads_when_it_is_done(staff_client, product):
    manifest = checked(product, AQUA.read_bytes())
    staff_client.post(url("apply", manifest), {"version": manifest.version})
    assert 'hx-trigger="every 1s"' in body(staff_client.get(manifest.get_absolute_url()))
    headers = {"HX-Request": "true", "HX-Target": "progress"}
    assert "Importing lot.csv into Aqua Meter" in body(staff_client.get(manifest.get_absolute_url(), headers=headers))
    Operation.objects.update(state="done")
    done = staff_client.get(manifest.get_absolute_url(), headers=headers)
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")


def test_a_failed_operation_says_why_and_the_file_can_be_applied_again(staff_client, product):
    manifest = checked(product, AQUA.read_bytes())
    staff_client.post(url("apply", manifest), {"version": manifest.version})
    Operation.objects.update(state="failed", sentence="It was interrupted three times and won't be retried.")
    page = body(staff_client.get(manifest.get_absolute_url()))
    assert "It was interrupted three times and won&#x27;t be retried." in page
    assert "Import all 5,000 rows" in page
    assert staff_client.post(url("apply", manifest), {"version": manifest.version}).status_code == 302
    assert Operation.objects.count() == 2


def test_an_interrupted_check_can_be_started_again(staff_client, product):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    ManifestImport.objects.update(summary={}, checked_as="", checked_at=None)
    page = body(staff_client.get(manifest.get_absolute_url()))
    assert "Checking this file didn’t finish." in page
    staff_client.post(url("columns", manifest), {"pad": ""})
    manifest.refresh_from_db()
    assert counts(manifest) == (1, 0, 0, 0)


def test_an_applied_file_can_no_longer_be_read_differently(staff_client, product):
    manifest = applied(product, text(HEAD, f"S-1,{NAMES[0]}"))
    assert staff_client.post(url("columns", manifest), {"pad": "6"}).status_code == 409
    manifest.refresh_from_db()
    assert manifest.outcome["new"] == 1


def test_the_page_of_an_old_import_works_without_its_files(staff_client, product, tmp_path):
    manifest = applied(product, MESSY.read_bytes(), good_rows=True)
    for path in (tmp_path / "files" / "imports").glob("*/*"):
        path.unlink()
    page = staff_client.get(manifest.get_absolute_url())
    assert page.status_code == 200
    assert "192" in body(page)
    answer = staff_client.get(url("refused", manifest))
    assert (answer.status_code, "was deleted after 30 days" in body(answer)) == (409, True)


@pytest.mark.parametrize("role", ["fulfilment", "support", "viewer"])
def test_people_who_may_not_import_see_and_change_nothing(client_for, product, role):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    client = client_for(role)
    assert upload(client, product, text(HEAD, f"S-2,{NAMES[1]}")).status_code == 403
    for name in ("detail", "columns", "apply", "refused"):
        assert client.get(url(name, manifest)).status_code == 403
        form = {"version": manifest.version, "pad": "6"}
        assert client.post(url(name, manifest), form).status_code == 403
    assert not Device.objects.exists()
    assert ManifestImport.objects.get().version == manifest.version


def test_another_organization_cannot_find_the_import(client_for, charlie, product):
    manifest = checked(product, text(HEAD, "S-1,bad", f"S-2,{NAMES[0]}"))
    client = client_for(charlie)
    for name in ("detail", "columns", "apply", "refused"):
        assert client.get(url(name, manifest)).status_code == 404
        form = {"version": manifest.version, "good_rows": "1", "pad": "6"}
        assert client.post(url(name, manifest), form).status_code == 404
    assert "lot.csv" not in body(client.get(CREATE))
    assert not Device.objects.exists()
    assert ManifestImport.objects.get().version == manifest.version


def test_another_organization_does_not_learn_that_the_same_file_was_applied(
    client_for, charlie, product, other_organization
):
    content = text(HEAD, f"S-1,{NAMES[0]}")
    applied(product, content)
    other = factories.make_product(other_organization, "Wind Gauge")
    client = client_for(charlie)
    page = body(client.get(upload(client, other, content).url))
    assert "This file was already imported" not in page
    assert "Import 1 row" in page


@pytest.mark.parametrize("name", ["create", "detail", "columns"])
def test_a_page_takes_few_queries(staff_client, product, name, django_assert_max_num_queries):
    manifest = checked(product, MESSY.read_bytes())
    staff_client.get(CREATE)
    with django_assert_max_num_queries(9):
        staff_client.get(CREATE if name == "create" else url(name, manifest))


def test_reasons_for_refusals_are_in_the_language_of_the_uploader(staff_client, product):
    answer = upload(staff_client, product, text(HEAD, "S-1,"), HTTP_ACCEPT_LANGUAGE="de")
    assert answer.status_code == 302
    assert len(refused(ManifestImport.objects.get())) == 1
