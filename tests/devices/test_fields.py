"""Each field of the table passes through every exit: form, list, page, API, manifest, edited export and export."""

import csv
import io

import pytest
from django.urls import reverse

from console.models import Event
from devices.edited_exports.columns import EDITED
from devices.fields import BY_NAME, FIELDS, OPEN, UPDATED, Field
from devices.manifest.kind import COLUMNS, ManifestKind
from devices.models import Device
from tests.devices import manifests, roundtrips

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]

LINE = ("PO 4711/7", "PO 4711/8")
# Two values of each field as typed, and how a page shows the first. A plain line of text needs no entry.
TYPED = {
    "serial_number": ("AQM26-700001", "AQM26-700001"),
    "device_name": ("e00fce68aa700001", "e00fce68aa700001"),
    "imei": ("490154203237518", "356938035643809"),
    "iccid": ("8949000000000000018", "8949000000000000026"),
    "mac": ("E0:4F:43:75:E4:55", "E0:4F:43:75:E4:56"),
    "manufactured_on": ("2026-11-02", "2026-11-03"),
    "is_development": ("yes", "no"),
    "tags": ("lot-7", "lot-7, pilot"),
    "notes": ("Lens replaced", "Lens replaced twice"),
    "secret": ("correct-horse-battery", "staple-horse-battery-2"),
}
SHOWN = {"manufactured_on": "2 Nov 2026", "is_development": "Development device"}
SHOWN_IN_LIST = {"is_development": '<span class="tag">dev</span>'}


def typed(field: Field, n: int = 0) -> str:
    return TYPED.get(field.name, LINE)[n]


def as_json(field: Field, n: int = 0):
    return {"tags": typed(field, n).split(", "), "is_development": typed(field, n) == "yes"}.get(
        field.name, typed(field, n)
    )


def held(device: Device) -> dict[str, object]:
    """Return the values of the device in the API's format."""
    device.refresh_from_db()
    values = {field.name: getattr(device, field.stored_as) for field in FIELDS if field.column is not None}
    return values | {"manufactured_on": str(device.manufactured_on), "tags": roundtrips.tags_of(device)}


def expected(n: int = 0, among=OPEN) -> dict[str, object]:
    return {field.name: as_json(field, n) for field in among}


@pytest.fixture
def device(product):
    """A device with a value in every field, as registered by a manifest."""
    content = manifests.text(",".join(f.name for f in FIELDS), ",".join(f'"{typed(f)}"' for f in FIELDS))
    manifest = manifests.applied(product, content)
    assert manifests.counts(manifest) == (1, 0, 0, 0), manifests.refused(manifest)
    return Device.objects.get()


def test_the_table_lists_exactly_the_fields_people_fill_in():
    columns = {column.name for column in Device._meta.concrete_fields if column.editable}
    assert columns - {"id", "organization", "product"} == {f.stored_as for f in OPEN if f.column is not None}
    names = {column.name for column in Device._meta.concrete_fields}
    assert {name for field in FIELDS if field.column is not None for name in field.columns} <= names
    assert [field.name for field in FIELDS] == list(dict.fromkeys(field.name for field in FIELDS))


def test_the_form_accepts_each_field(staff_client, product):
    values = {field.name: typed(field) for field in OPEN} | {"product": str(product.pk)}
    answer = staff_client.post(reverse("devices:device_create"), values)
    assert answer.status_code == 302, answer.context["form"].errors
    assert held(Device.objects.get()) == expected() | {"secret": ""}


def test_the_form_shows_each_field_of_a_device(staff_client, device):
    content = staff_client.get(reverse("devices:device_edit", args=[device.pk])).content.decode()
    assert [field.name for field in OPEN if f'name="{field.name}"' not in content] == []


def test_the_list_shows_its_fields(staff_client, device):
    row = Device.objects.listed().get()
    content = staff_client.get(reverse("devices:device_list")).content.decode()
    for field in FIELDS:
        is_loaded = field.stored_as not in row.get_deferred_fields()
        assert not field.is_listed or field.column is None or is_loaded, field.name
        assert not field.is_listed or SHOWN_IN_LIST.get(field.name, typed(field)) in content, field.name


def test_the_list_has_as_many_headers_as_cells(staff_client, device):
    content = staff_client.get(reverse("devices:device_list")).content.decode()
    head, body = content.split("</thead>")
    assert head.count("<th ") == body.split("</tr>")[0].count("<td")


def test_the_page_of_a_device_shows_each_field_except_secrets(staff_client, device):
    content = staff_client.get(device.get_absolute_url()).content.decode()
    missing = [field.name for field in OPEN if SHOWN.get(field.name, typed(field)) not in content]
    assert missing == []
    assert device.secret_sha256 not in content


def test_the_api_accepts_and_returns_each_field(api, product):
    made = api.post("/devices", expected() | {"product": product.slug})
    assert made.status_code == 201, made.json()
    assert {name: made.json()[name] for name in expected()} == expected()
    changed = expected(1, [field for field in OPEN if not field.key])
    edited = api.patch(f"/devices/{made.json()['id']}", changed)
    assert {name: edited.json()[name] for name in changed} == changed
    assert held(Device.objects.get()) == expected() | changed | {"secret": ""}
    assert not {field.name for field in FIELDS if field.is_secret} & set(edited.json())


def test_a_customers_key_only_sees_the_fields_for_customers(owned, mine):
    body = mine.get(f"/devices/{owned.pk}").json()
    assert {field.name: body[field.name] for field in OPEN} == {
        field.name: as_json(field) if field.for_customers else field.hidden_as for field in OPEN
    }


def test_a_manifest_registers_each_field(device):
    hashed = BY_NAME["secret"].clean(typed(BY_NAME["secret"]))
    assert held(device) == expected() | {"secret": hashed}
    assert {column.name for column in COLUMNS} == set(BY_NAME)
    assert set(ManifestKind.fields) == {name for field in FIELDS for name in field.columns}


def test_a_manifest_as_a_workbook_registers_each_field(product, tmp_path):
    content = manifests.workbook(tmp_path / "lot.xlsx", [[f.name for f in FIELDS], [typed(f) for f in FIELDS]])
    manifests.applied(product, content, "lot.xlsx")
    hashed = BY_NAME["secret"].clean(typed(BY_NAME["secret"]))
    assert held(Device.objects.get()) == expected() | {"secret": hashed}


def test_the_log_of_a_second_manifest_matches_the_new_values_of_the_device(device):
    manifest = manifests.applied(
        device.product,
        manifests.text(",".join(f.name for f in FIELDS), ",".join(f'"{typed(f, 0 if f.key else 1)}"' for f in FIELDS)),
    )
    assert manifests.counts(manifest) == (0, 0, 1, 0)
    log = Event.objects.get(kind="device.edited").data
    hashed = BY_NAME["secret"].clean(typed(BY_NAME["secret"], 1))
    assert held(device) == expected(1, [f for f in FIELDS if not f.key]) | expected(0, [f for f in FIELDS if f.key]) | {
        "secret": hashed
    }
    told = {field.name: [as_json(field), as_json(field, 1)] for field in UPDATED} | {"tags": ["lot-7", "lot-7, pilot"]}
    assert {name: log[name] for name in told} == told | {"secret": ["•••", "•••"]}


def test_an_export_has_each_field_except_secrets(staff_client, device):
    (row,) = csv.DictReader(io.StringIO(roundtrips.exported(staff_client).decode("utf-8-sig")))
    assert {field.name: row[field.header] for field in OPEN} == {field.name: typed(field) for field in OPEN} | {
        "is_development": "true"
    }
    assert len(row) == len(OPEN) + len({"product", "status", "owner", "owner_reference", "registered_at", "version"})


def test_an_edited_workbook_only_changes_editable_fields(staff_client, alice, device, tmp_path):
    def edit(rows):
        for field in OPEN:
            if not field.key:
                rows[0][field.header] = typed(field, 1)

    content = roundtrips.edited_xlsx(staff_client, tmp_path / "devices.xlsx", edit)
    operation = roundtrips.applied(alice, content, "devices.xlsx")
    assert (operation.succeeded, operation.refused) == (1, 0)
    edited = [BY_NAME[name] for name in EDITED]
    assert held(device) == expected() | expected(1, edited) | {"secret": device.secret_sha256}
    assert set(Event.objects.get(kind="device.edited").data) >= set(EDITED)


@pytest.mark.parametrize("door", ["form", "api"])
def test_a_tag_too_long_after_case_folding_is_refused_at_each_entrance(door, staff_client, api, product):
    """Its folded form is stored too: PostgreSQL would refuse it with an error instead of a sentence."""
    names = {"serial_number": "A-1", "device_name": "e00fce68aa700001"}
    sentence = "A device can have at most 20 tags, with at most 40 characters each."
    if door == "form":
        answer = staff_client.post(
            reverse("devices:device_create"), names | {"product": str(product.pk), "tags": "ß" * 21}
        )
        assert answer.context["form"].errors["tags"] == [sentence]
    else:
        answer = api.post("/devices", names | {"product": product.slug, "tags": ["ß" * 21]})
        assert sentence in str(answer.json())
    assert answer.status_code == 422
    assert not Device.objects.exists()
