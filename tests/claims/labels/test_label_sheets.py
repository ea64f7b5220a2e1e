"""Labels are ordered from a selection: the right codes, named refusals, the log, the worker, and permissions."""

import csv
import io
import multiprocessing
import os
import re
import signal
import time
import zipfile
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from claims.labels import actions as labels
from claims.labels.drawing import Options
from claims.labels.files import STORE as files
from claims.models import ClaimCode, LabelSheet, Return, Shipment, ShipmentUnit
from claims.paper import fonts
from claims.profiles import printed
from claims.profiles.actions import codes as claim_codes
from console import operations, upkeep, words, worker
from console.access import Permission
from console.errors import Refused
from console.models import Event, Operation, WorkerHeartbeat
from console.models.operation import OperationState
from devices.models import ManifestImport
from tests import factories, forms
from tests.claims.labels.test_label_drawing import pages, scanned
from tests.claims.worlds import event, make_link_profile, make_many_devices, make_unit_profile
from tests.waiting import until

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]
CREATE = "/labels/new/"
ORDER = {
    "output": "pdf",
    "stock": "L7160",
    "text": "Scan to claim",
    "fields_shown": ["brand", "serial", "typed"],
    "start": "1",
    "shift_x": "0",
    "shift_y": "0",
}


@pytest.fixture
def profile(product, make_devices):
    """Three devices with a code each."""
    make_devices(3)
    return make_unit_profile(product)


def units(profile):
    return [code.device for code in profile.codes.select_related("device").order_by("device__serial_key")]


def ids(devices) -> str:
    return ",".join(str(device.pk) for device in devices)


def link_of(device, profile=None) -> str:
    codes = ClaimCode.objects.filter(device=device).select_related("profile__domain")
    code = (codes.filter(profile=profile) if profile else codes.order_by("-profile_id"))[0]
    return printed.label(code).canonical


def order(client, devices, **fields):
    return client.post(CREATE, {**ORDER, "ids": ids(devices), **fields})


def links_in(response) -> list[str]:
    return [link for picture in pages(response.content) for link in scanned(picture)]


def nothing_happened():
    return not LabelSheet.objects.exists() and not Event.objects.filter(kind__contains="label").exists()


def work():
    DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now() - timedelta(seconds=1))
    worker.QueueWorker(["operations"], batch=True).run()


def start(profile, device_ids, user, **options):
    plan = Options("L7160", "Scan to claim", **options)
    return labels.start(device_ids, profile_id=profile.pk, form="pdf", options=plan, by=factories.actor_of(user))


def test_a_selection_is_printed_in_order_of_serial_numbers(profile, client_for):
    devices = units(profile)
    answer = order(client_for("fulfilment"), reversed(devices))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Cache-Control"] == "no-store"
    assert re.fullmatch(r'attachment; filename="labels-L7160-[\d-]{10}\.pdf"', answer["Content-Disposition"])
    assert links_in(answer) == [link_of(device) for device in devices]


def test_the_log_names_the_person_and_the_number_of_codes_printed(profile, alice, client_for):
    devices = units(profile)
    order(client_for(alice), devices)
    sheet = LabelSheet.objects.get()
    assert (sheet.count, sheet.stock, sheet.form, sheet.created_by) == (3, "L7160", "pdf", "Alice Kemp")
    made = event("label_sheet.created")
    assert (made.subject_label, made.actor_label, made.data) == (
        "3 × L7160",
        "Alice Kemp",
        {"labels": 3, "form": "pdf"},
    )
    told = Event.objects.filter(kind="device.label_printed").order_by("subject_id")
    assert [each.subject_id for each in told] == sorted(device.pk for device in devices)


def test_all_devices_matching_a_filter_can_be_printed(profile, product, client_for):
    hidden = factories.make_device(factories.make_product(product.organization, "Gas Meter"), "GAS-1")
    make_unit_profile(None, hidden, organization=product.organization, slug="other")
    answer = forms.act(client_for("support"), CREATE, {"all": "1", "product": product.pk}, **ORDER)
    assert links_in(answer) == [link_of(device) for device in units(profile)]


def test_the_devices_of_a_shipment_can_be_printed(profile, customer, client_for):
    shipment = Shipment.objects.create(
        organization=customer.organization, customer=customer, number=1, unit_count=2, created_by="A"
    )
    packed = units(profile)[:2]
    for device in packed:
        ShipmentUnit.objects.create(shipment=shipment, device=device, is_open=False, packed_by="Alice")
    page = client_for("fulfilment").get(CREATE, {"shipment": shipment.pk})
    assert "Print 2 labels" in page.content.decode()
    assert f'name="shipment" value="{shipment.pk}"' in page.content.decode()
    answer = forms.act(client_for("fulfilment"), CREATE, {"shipment": shipment.pk}, **ORDER)
    assert links_in(answer) == [link_of(device) for device in packed]


def test_the_devices_registered_by_an_import_can_be_printed(profile, product, client_for):
    at = timezone.now() - timedelta(days=1)
    file = {"file_name": "a.csv", "stored_as": "none", "sha256": "0" * 64, "size": 1, "by_label": "Alice"}
    manifest = ManifestImport.objects.create(organization=product.organization, product=product, applied_at=at, **file)
    device = factories.make_device(product, "NEW-1", created_at=at)
    claim_codes.make_for_devices(profile, [device.pk])
    answer = forms.act(client_for("fulfilment"), CREATE, {"import": manifest.pk}, **ORDER)
    assert links_in(answer) == [link_of(device)]


def test_all_devices_of_a_claim_profile_can_be_printed(profile, client_for):
    answer = forms.act(client_for("fulfilment"), CREATE, {"claim_profile": profile.pk}, **ORDER)
    assert links_in(answer) == [link_of(device) for device in units(profile)]


def test_printing_removes_devices_from_the_label_queue(profile, organization, client_for):
    waiting, other = units(profile)[:2]
    rows = [
        Return.objects.create(organization=organization, device=device, number=number, needs_label=True)
        for number, device in enumerate((waiting, other), 1)
    ]
    order(client_for("support"), [waiting])
    for row in rows:
        row.refresh_from_db()
    assert [row.needs_label for row in rows] == [False, True]
    assert Event.objects.filter(kind="device.label_printed", subject_id=waiting.pk).count() == 1
    answer = forms.act(client_for("support"), CREATE, {"queue": "1"}, **ORDER)
    assert links_in(answer) == [link_of(other)]
    assert not Return.objects.filter(needs_label=True).exists()


def test_devices_without_a_code_are_listed_and_left_out_with_a_link_to_create_one(profile, product, client_for):
    bare = factories.make_device(factories.make_product(product.organization, "Gas Meter"), "GAS-1")
    client, chosen = client_for("product_manager"), [*units(profile), bare]
    page = client.get(CREATE, {"ids": ids(chosen)}).content.decode()
    assert "1 device has no code to print and is skipped:" in page
    assert f'href="/claim-profiles/add-units/?ids={bare.pk}"' in page
    assert links_in(order(client, chosen)) == [link_of(device) for device in units(profile)]
    assert not Event.objects.filter(kind="device.label_printed", subject_id=bare.pk).exists()


def test_people_who_may_not_create_codes_are_told_whom_to_ask(product, make_devices, client_for):
    page = client_for("fulfilment").get(CREATE, {"ids": ids(make_devices(1))}).content.decode()
    assert "This device has no claim code, so there is nothing to print:" in page
    assert "Ask a product manager to add them to a claim profile." in page
    assert "add-units" not in page


def test_nothing_is_printed_if_no_device_has_a_code(make_devices, client_for):
    (device,) = make_devices(1)
    answer = order(client_for("owner"), [device])
    assert answer.status_code == 422
    assert f"Nothing to print. {device.serial_number}: It has no claim code." in answer.content.decode()
    assert nothing_happened()


def test_one_of_several_profiles_can_be_chosen_and_otherwise_the_newest_code_is_printed(
    profile, organization, client_for
):
    first, second, third = units(profile)
    newer = make_unit_profile(None, first, second, organization=organization, slug="newer", name="Newer")
    client = client_for("fulfilment")
    page = client.get(CREATE, {"ids": ids([first, second, third])}).content.decode()
    assert "Units (3 devices)" in page
    assert "Newer (2 devices)" in page
    of_newer = client.get(CREATE, {"claim_profile": newer.pk}).content.decode()
    assert re.search(rf'name="profile" value="{newer.pk}"[^>]*checked', of_newer)
    chosen = [first, second, third]
    assert links_in(order(client, chosen, profile=profile.pk)) == [link_of(device, profile) for device in chosen]
    assert links_in(order(client, chosen, profile=newer.pk)) == [link_of(first, newer), link_of(second, newer)]
    assert links_in(order(client, chosen)) == [link_of(first, newer), link_of(second, newer), link_of(third, profile)]


def test_a_replaced_code_is_printed_in_its_new_version(profile, alice, client_for):
    device = units(profile)[0]
    old = link_of(device)
    claim_codes.replace_for_devices([device.pk], reason="Lost", by=factories.actor_of(alice))
    found = links_in(order(client_for(alice), [device]))
    assert found == [link_of(device)]
    assert found != [old]


@pytest.mark.parametrize("form", ["svg", "png"])
def test_pictures_are_delivered_as_a_zip(form, profile, client_for):
    answer = order(client_for("fulfilment"), units(profile), output=form)
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 3


def test_the_csv_has_the_link_of_the_qr_code_and_the_typed_code(profile, client_for):
    answer = order(client_for("fulfilment"), units(profile), output="csv", start="99")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["link"] for row in rows] == [link_of(device) for device in units(profile)]
    assert [row["serial_number"] for row in rows] == [device.serial_number for device in units(profile)]
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]", rows[0]["typed_code"])


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"start": "22"}, "This stock has 21 labels per page."),
        ({"start": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"text": "x" * 41}, "Ensure this value has at most 40 characters"),
        ({"stock": "L9999"}, "Select a valid choice."),
        ({"shift_x": "11"}, "Ensure this value is less than or equal to 10."),
    ],
)
def test_an_invalid_value_is_refused_at_its_field(fields, sentence, profile, client_for):
    answer = order(client_for("fulfilment"), units(profile), **fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert nothing_happened()


def test_a_stock_on_which_the_code_would_be_too_fine_is_refused(profile, organization, client_for):
    from console.models import OrganizationDomain

    host = "claim.northlake-metering-international.example.com"
    profile.domain = OrganizationDomain.objects.create(organization=organization, host=host)
    profile.save(update_fields=["domain"])
    answer = order(client_for("fulfilment"), units(profile), stock="5167")
    assert answer.status_code == 422
    assert (
        "modules of 0.31 mm, but needs at least 0.33 mm to be readable. Choose a larger label."
        in answer.content.decode()
    )
    assert nothing_happened()
    assert order(client_for("fulfilment"), units(profile), stock="5167", output="csv").status_code == 200


def test_the_preview_follows_the_form_and_shows_no_working_code(profile, client_for):
    client, device = client_for("fulfilment"), units(profile)[0]
    htmx = {"HX-Request": "true", "HX-Target": "label-preview"}
    answer = client.post(CREATE, {**ORDER, "ids": ids([device]), "preview": "1"}, headers=htmx)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert "data:image/svg+xml;base64," in page
    rows = client.post(CREATE, {**ORDER, "ids": ids([device]), "preview": "1", "output": "csv"}, headers=htmx)
    assert link_of(device) not in rows.content.decode()
    assert device.serial_number in rows.content.decode()
    wrong = client.post(CREATE, {**ORDER, "ids": ids([device]), "preview": "1", "start": "22"}, headers=htmx)
    assert (wrong.status_code, "This stock has 21 labels per page." in wrong.content.decode()) == (200, True)
    assert nothing_happened()


def test_without_javascript_the_preview_is_a_button(profile, client_for):
    answer = order(client_for("fulfilment"), units(profile), preview="1")
    assert answer.status_code == 200
    assert "The first page of labels" in answer.content.decode()
    assert nothing_happened()


def test_the_next_print_starts_with_the_previous_settings(profile, client_for):
    client = client_for("fulfilment")
    order(client, units(profile), stock="5160", shift_x="1.5", text="Scan me", start="4")
    page = client.get(CREATE, {"ids": ids(units(profile))}).content.decode()
    assert '<option value="5160" selected>' in page
    assert 'name="shift_x" value="1.5"' in page
    assert 'value="Scan me"' in page
    assert 'name="start" value="1"' in page


@pytest.mark.parametrize("fields", [{}, {"ids": ""}, {"ids": "x"}])
def test_without_a_selection_there_is_nothing_to_print(fields, client_for):
    assert client_for("fulfilment").get(CREATE, fields).status_code == 422


def test_more_labels_than_fit_a_file_are_refused(monkeypatch, profile, client_for):
    monkeypatch.setattr(labels, "MOST", 2)
    answer = order(client_for("fulfilment"), units(profile))
    assert answer.status_code == 422
    assert "You can print at most 2 labels at once." in answer.content.decode()
    assert nothing_happened()


def test_a_viewer_cannot_print(profile, client_for):
    assert order(client_for("viewer"), units(profile)).status_code == 403
    assert client_for("viewer").get(CREATE, {"ids": ids(units(profile))}).status_code == 403
    assert nothing_happened()


def test_another_organization_cannot_print_these_devices(profile, charlie, customer, client_for):
    client = client_for(charlie)
    assert order(client, units(profile)).status_code == 422
    shipment = Shipment.objects.create(organization=customer.organization, customer=customer, number=1, created_by="A")
    for source in ({"shipment": shipment.pk}, {"claim_profile": profile.pk}, {"import": 1}, {"shipment": "x"}):
        assert client.get(CREATE, source).status_code == 404
        assert client.post(CREATE, {**ORDER, **source}).status_code == 404
    assert nothing_happened()


def test_more_than_200_labels_are_printed_in_the_background_and_downloaded(
    profile, product, alice, charlie, client_for
):
    claim_codes.make_for_devices(profile, make_many_devices(product, 300))
    bare = factories.make_device(factories.make_product(product.organization, "Gas Meter"), "GAS-1")
    client = client_for(alice)
    chosen = [*units(profile), bare]
    answer = order(client, chosen, stock="L7651")
    sheet = LabelSheet.objects.get()
    page = reverse("claims:label_sheet_detail", args=[sheet.pk])
    assert (answer.status_code, answer.url) == (302, page)
    assert sheet.operation.permission == Permission.CODE_VIEW
    assert 'hx-trigger="every 1s"' in client.get(page).content.decode()
    waiting = client.post(f"{page}download/")
    assert (waiting.status_code, "ready yet. Wait until they are printed." in waiting.content.decode()) == (409, True)
    work()
    sheet.refresh_from_db()
    operation = Operation.objects.get()
    assert (operation.state, operation.succeeded, operation.refused) == (OperationState.DONE, 303, 1)
    assert operation.sentence == "303 labels are ready to download."
    row = operation.rows.get()
    assert (row.label, row.code) == ("GAS-1", "no_code")
    assert row.sentence.startswith("It has no claim code. Select it in the device list")
    assert sheet.count == 303
    path = files.path_of(sheet.file_name)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    shown = client.get(page).content.decode()
    assert 'hx-trigger="every 1s"' not in shown
    assert "1 device was skipped." in shown
    for foreign in (client_for(charlie).get(page), client_for(charlie).post(f"{page}download/")):
        assert foreign.status_code == 404
    assert client_for("viewer").post(f"{page}download/").status_code == 403
    assert not Event.objects.filter(kind="label_sheet.downloaded").exists()
    file = client.post(f"{page}download/")
    assert file["Cache-Control"] == "no-store"
    assert file["Content-Type"] == "application/pdf"
    content = b"".join(file.streaming_content)
    expected = [link_of(device) for device in units(profile)]
    assert [link for picture in pages(content) for link in scanned(picture)] == expected
    assert event("label_sheet.downloaded").data == {"labels": 303}
    assert event("label_sheet.created").data == {"labels": 303, "form": "pdf"}
    assert Event.objects.filter(kind="device.label_printed").count() == 303


def test_a_background_print_without_any_code_fails_with_the_reason(product, alice):
    bare = make_many_devices(product, 3)
    profile = make_unit_profile(None, organization=product.organization)
    sheet = start(profile, bare, alice)
    work()
    sheet.refresh_from_db()
    assert (sheet.operation.state, sheet.file_name) == (OperationState.FAILED, "")
    assert sheet.operation.sentence.startswith("Nothing to print. BULK-000000: It has no code of this claim profile.")
    assert [path for path in files.folder().rglob("*") if path.is_file()] == []
    assert not Event.objects.filter(kind="label_sheet.created").exists()


def test_a_person_who_lost_the_permission_gets_no_file(profile, alice):
    sheet = start(profile, [device.pk for device in units(profile)], alice)
    alice.memberships.update(role="viewer")
    work()
    sheet.refresh_from_db()
    assert (sheet.operation.state, sheet.file_name) == (OperationState.FAILED, "")


def test_a_finished_file_is_saved_and_logged_once(profile, alice):
    sheet = start(profile, [device.pk for device in units(profile)], alice)
    work()
    with pytest.raises(operations.Superseded):
        labels.hand_over(sheet, "1/other", [units(profile)[0].pk], by=factories.actor_of(alice))
    assert Event.objects.filter(kind="label_sheet.created").count() == 1


def test_files_are_deleted_after_seven_days_and_the_page_says_so(profile, alice, client_for):
    sheet = start(profile, [device.pk for device in units(profile)], alice)
    work()
    sheet.refresh_from_db()
    path = files.path_of(sheet.file_name)
    assert files.delete_old(time.time() + timedelta(days=6).total_seconds()) == 0
    old = time.time() - timedelta(days=8).total_seconds()
    os.utime(path, (old, old))
    upkeep.tidy()
    assert not path.exists()
    page = reverse("claims:label_sheet_detail", args=[sheet.pk])
    client = client_for(alice)
    assert "The file was deleted after 7 days." in client.get(page).content.decode()
    answer = client.post(f"{page}download/")
    assert (answer.status_code, "This file was deleted after 7 days" in answer.content.decode()) == (409, True)
    assert not Event.objects.filter(kind="label_sheet.downloaded").exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_halfway_leaves_no_partial_file_and_another_one_takes_over(
    organization, product, alice, tmp_path, monkeypatch
):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    profile = make_unit_profile(product)
    devices = make_many_devices(product, 600)
    claim_codes.make_for_devices(profile, devices)
    sheet = start(profile, devices, alice)
    gather = labels.gather

    def wait_at_the_second_chunk(ids, **options):
        if options["first"]:
            pipe.read_text()
        return gather(ids, **options)

    with monkeypatch.context() as patch:
        patch.setattr(labels, "gather", wait_at_the_second_chunk)
        connections.close_all()
        process = multiprocessing.get_context("fork").Process(target=worker.run, args=(["operations"],))
        process.start()
        until(Operation.objects.filter(cursor=250, state=OperationState.RUNNING).exists)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    sheet.refresh_from_db()
    assert sheet.file_name == ""
    assert not Event.objects.filter(kind__contains="label").exists()
    upkeep.go_on()
    work()
    sheet.refresh_from_db()
    operation = sheet.operation
    assert (operation.state, operation.attempt, operation.succeeded) == (OperationState.DONE, 2, 600)
    assert sheet.count == 600
    content = files.path_of(sheet.file_name).read_bytes()
    assert sum(len(scanned(picture)) for picture in pages(content)) == 600
    assert Event.objects.filter(kind="label_sheet.created").count() == 1
    assert Event.objects.filter(kind="device.label_printed").count() == 600
    WorkerHeartbeat.objects.all().delete()


def test_the_list_of_printed_labels_only_shows_those_of_the_organization(profile, alice, charlie, client_for):
    order(client_for(alice), units(profile))
    page = client_for(alice).get("/labels/").content.decode()
    assert "Avery L7160, 21 labels of 63.5 × 38.1 mm" in page
    assert "No labels printed yet" in client_for(charlie).get("/labels/").content.decode()


def test_a_page_of_the_list_takes_few_queries(profile, alice, client_for, django_assert_max_num_queries):
    client = client_for(alice)
    order(client, units(profile))
    with django_assert_max_num_queries(8):
        client.get("/labels/")


def test_more_labels_than_one_request_prints_are_refused(profile, alice):
    with pytest.raises(Refused):
        labels.make(
            list(range(201)), profile_id=None, form="pdf", options=Options("L7160"), by=factories.actor_of(alice)
        )


def test_a_link_for_several_devices_is_not_printed_as_a_device_label(product, device, client_for):
    make_link_profile(product.organization, device)
    assert order(client_for("owner"), [device]).status_code == 422
    assert nothing_happened()


# Letters that no typeface has.

NO_FACES = {name: paths for name, paths in fonts._FILES.items() if name != "Cjk"} | {"Cjk": []}


@pytest.fixture
def without_cjk(monkeypatch):
    """A server without a typeface for Chinese, whatever is installed on this machine."""
    monkeypatch.setattr(fonts, "_FILES", NO_FACES)
    for each in (fonts.path_of, fonts.font, fonts.set_in):
        each.cache_clear()
    yield
    for each in (fonts.path_of, fonts.font, fonts.set_in):
        each.cache_clear()


@pytest.fixture
def chinese(profile, product):
    """A device of the profile whose serial number needs a Chinese typeface."""
    device = units(profile)[0]
    type(device).objects.filter(pk=device.pk).update(serial_number="水-0001", serial_key="水-0001")
    return device


def test_a_serial_number_that_cannot_be_set_is_reported_beforehand_and_gets_no_label(
    without_cjk, profile, chinese, client_for
):
    client, chosen = client_for("product_manager"), units(profile)
    response = client.get(CREATE, {"ids": ids(chosen)})
    page = response.content.decode()
    assert "1 label is skipped: this server has no font for some letters of the serial number." in page
    assert '<span class="mono nowrap">水-0001</span> (水)' in page
    assert response.context["printable"] == 2
    others = [device for device in chosen if device != chinese]
    assert links_in(order(client, chosen)) == [link_of(device) for device in others]
    assert not Event.objects.filter(kind="device.label_printed", subject_id=chinese.pk).exists()


def test_nothing_is_printed_if_no_label_can_be_set_but_the_csv_has_it(without_cjk, profile, chinese, client_for):
    client = client_for("product_manager")
    response = order(client, [chinese])
    assert response.status_code == 422
    assert "no font for some letters of its serial number: 水." in response.content.decode()
    assert nothing_happened()
    assert "水-0001" in order(client, [chinese], output="csv").content.decode("utf-8-sig")


def test_a_label_without_the_serial_number_is_printed(without_cjk, profile, chinese, client_for):
    assert links_in(order(client_for("product_manager"), [chinese], fields_shown=["typed"])) == [link_of(chinese)]


@pytest.mark.parametrize(("name", "letters"), [("Wasserzähler 水表", "水表"), ("عداد", "عدا"), ("מונה 5", "מונה")])
def test_other_texts_that_cannot_be_set_are_reported_with_their_letters(
    without_cjk, profile, product, client_for, name, letters
):
    type(product).objects.update(name=name, name_key=name.lower())
    with transaction.atomic():
        words.write("product", {product.pk: name})
    fields = {"ids": ids(units(profile)), **ORDER, "fields_shown": ["product", "serial"], "preview": "1"}
    page = client_for("product_manager").post(CREATE, fields).content.decode()
    assert f"Product “{name}” on 3 labels has letters that no font on this server has: {letters}." in page


def test_text_that_every_typeface_can_set_is_not_reported(profile, client_for):
    page = client_for("product_manager").get(CREATE, {"ids": ids(units(profile))}).content.decode()
    assert "no typeface" not in page
