"""Labels over REST: ordered by name, made by the worker, fetched once they are ready."""

import csv
import io

import pytest

from claims.models import ClaimCode, LabelSheet
from claims.profiles import printed
from console import operations
from console.access import Permission
from console.models import Event, Operation
from tests import factories
from tests.api import Caller, key_of
from tests.claims import worlds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]


@pytest.fixture
def profile(product, make_devices):
    """Two units with a code each."""
    make_devices(2)
    return worlds.make_unit_profile(product)


def serials(profile):
    return list(profile.codes.order_by("-device").values_list("device__serial_number", flat=True))


def content(answer):
    return b"".join(answer.streaming_content)


def test_labels_are_ordered_created_and_downloaded(api, profile):
    names = serials(profile)
    answer = api.post("/label-sheets", {"devices": names, "form": "csv"})
    assert answer.status_code == 202, answer.json()
    sheet = LabelSheet.objects.get()
    assert answer.json() == {
        "id": sheet.pk,
        "stock": "L7160",
        "form": "csv",
        "count": 2,
        "operation": sheet.operation_id,
        "is_ready": False,
        "created_at": answer.json()["created_at"],
        "created_by": "Alice Kemp (Line 3)",
    }
    early = api.get(f"/label-sheets/{sheet.pk}/file")
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    operations.run(sheet.operation_id)
    assert api.get(f"/label-sheets/{sheet.pk}").json()["is_ready"]
    answer = api.get(f"/label-sheets/{sheet.pk}/file")
    assert (answer["Content-Type"].partition(";")[0], answer["Cache-Control"]) == ("text/csv", "no-store")
    rows = list(csv.reader(io.StringIO(content(answer).decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == names
    links = [
        printed.label(ClaimCode.objects.select_related("profile").get(device__serial_number=name)).canonical
        for name in names
    ]
    assert [row[2] for row in rows[1:]] == links
    assert Event.objects.get(kind="label_sheet.downloaded").actor_label == "Alice Kemp (Line 3)"


def test_a_sheet_is_a_pdf_by_itself(api, profile):
    api.post("/label-sheets", {"devices": serials(profile), "fields_shown": [], "text": "", "shift_x": 1.5, "start": 3})
    sheet = LabelSheet.objects.select_related("operation").get()
    assert sheet.operation.payload["options"] == {
        "stock": "L7160",
        "text": "",
        "fields": [],
        "start": 3,
        "shift_x": 1.5,
        "shift_y": 0.0,
        "outline": False,
    }
    operations.run(sheet.operation_id)
    answer = api.get(f"/label-sheets/{sheet.pk}/file")
    assert (answer["Content-Type"], content(answer)[:4]) == ("application/pdf", b"%PDF")
    assert [row["id"] for row in api.get("/label-sheets").json()["results"]] == [sheet.pk]


def test_devices_without_a_code_are_left_out_with_their_reason(api, profile, organization):
    worlds.make_many_devices(factories.make_product(organization, "Gateway"), 1)
    other = worlds.make_unit_profile(None, organization=organization, slug="other", name="Other")
    names = [*serials(profile), "BULK-000000"]
    api.post("/label-sheets", {"devices": names, "form": "csv"})
    operation = Operation.objects.get()
    operations.run(operation.pk)
    rows = api.get(f"/operations/{operation.pk}/results").json()["results"]
    assert [(row["name"], row["code"]) for row in rows] == list(zip(names, ["ok", "ok", "no_code"], strict=True))
    api.post("/label-sheets", {"devices": names, "claim_profile": other.slug})
    failed = Operation.objects.latest("pk")
    operations.run(failed.pk)
    assert api.get(f"/operations/{failed.pk}").json()["state"] == "failed"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"stock": "A0"}, 400),
        ({"form": "docx"}, 400),
        ({"shift_x": "1"}, 400),
        ({"shift_x": True}, 400),
        ({"shift_x": 11}, 400),
        ({"start": 0}, 400),
        ({"start": 22}, 422),
        ({"claim_profile": "no-such"}, 422),
        ({"devices": ["NOSUCH"]}, 422),
        ({"fields_shown": ["price"]}, 400),
    ],
)
def test_an_order_that_can_t_be_printed_is_refused(api, profile, body, status):
    answer = api.post("/label-sheets", {"devices": serials(profile)} | body)
    assert answer.status_code == status, answer.json()
    assert not LabelSheet.objects.exists()


def test_keys_that_may_not_see_codes_print_and_download_nothing(api, alice, charlie, profile):
    api.post("/label-sheets", {"devices": serials(profile)})
    sheet = LabelSheet.objects.get()
    operations.run(sheet.operation_id)
    viewer, theirs = Caller(key_of(alice, Permission.VIEW)), Caller(key_of(charlie))
    assert viewer.post("/label-sheets", {"devices": serials(profile)}).status_code == 403
    assert viewer.get(f"/label-sheets/{sheet.pk}/file").status_code == 403
    assert theirs.get(f"/label-sheets/{sheet.pk}/file").status_code == 404
    assert theirs.post("/label-sheets", {"devices": serials(profile)}).status_code == 422
    assert LabelSheet.objects.count() == 1
    assert not Event.objects.filter(kind="label_sheet.downloaded").exists()
