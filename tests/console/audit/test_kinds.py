"""Rooms declare their events: each once, with words, and `manage.py check` finds what is wrong with a declaration."""

import ast
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.utils.html import strip_tags

from console.audit import describe, kinds, record, subjects
from console.audit.kinds import Kind
from console.events import SETTINGS
from console.models import Operation
from devices import events as device_events
from devices.manifest import events as manifest_events
from devices.models import ManifestImport

ROOT = Path(__file__).resolve().parent.parent.parent.parent
APPS = ("console", "customers", "devices", "claims")
RECORDERS = {"record", "record_set", "record_each"}


@pytest.fixture
def scratch(monkeypatch):
    """What a test declares is forgotten after it."""
    known = kinds.Registry(list(kinds.registry.declared), dict(kinds.registry.by_name))
    monkeypatch.setattr(kinds, "registry", known)
    monkeypatch.setattr(subjects, "registry", dict(subjects.registry))


def declare(name="thing.tested", label="Thing tested", sentence="{actor} tested {subject}", former=()):
    return Kind(name, label, "send", sentence, SETTINGS, former=former)


def refused() -> list[tuple[str, str]]:
    found = [message for message in run_checks() if (message.id or "").startswith("custody.E02")]
    return [(message.id, message.msg) for message in found]


def sources():
    return [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]


def test_the_declarations_are_well(scratch):
    assert refused() == []
    declare()
    assert refused() == []


def test_two_kinds_with_one_name_are_refused(scratch):
    declare()
    declare(label="Thing tried")
    assert refused() == [("custody.E020", "Two kinds of events are named thing.tested.")]


def test_a_former_name_that_another_kind_has_is_refused(scratch):
    declare(former=("device.edited",))
    assert refused() == [("custody.E020", "Two kinds of events are named device.edited.")]


def test_a_name_that_the_column_cannot_hold_is_refused(scratch):
    declare(name="thing." + "x" * 35)
    assert refused() == [("custody.E021", f"The name thing.{'x' * 35} is too long.")]


@pytest.mark.parametrize("part", ["label", "sentence"])
def test_a_kind_without_words_is_refused(scratch, part):
    declare(**{part: " "})
    assert refused() == [("custody.E022", f"The kind of event thing.tested has no {part}.")]


@pytest.mark.parametrize("page", ["devices:device_gone", "console:home"])
def test_a_page_that_takes_no_thing_is_refused(scratch, page):
    subjects.register(subjects.Subject(Operation, page=page))
    assert refused() == [("custody.E023", f"operation has no page {page}.")]


def test_each_app_imports_the_events_of_its_rooms_when_it_is_ready():
    for app in APPS:
        tree = ast.parse((ROOT / app / "apps.py").read_text())
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        rooms = {path.relative_to(ROOT) for path in (ROOT / app).rglob("events.py")}
        assert {".".join(path.with_suffix("").parts) for path in rooms} == {
            m for m in imported if m.endswith(".events")
        }


def test_every_declared_kind_is_recorded():
    """A kind that nothing names is a leftover, or its `record` was forgotten."""
    declared = set()
    for path in sources():
        if path.name == "events.py":
            declared |= {
                (path, target.id)
                for node in ast.parse(path.read_text()).body
                if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Kind(")
                for target in node.targets
            }
    used = {
        node.attr
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and "events" in ast.unparse(node.value)
    }
    assert len(declared) == len(kinds.registry.declared)
    assert {name for _path, name in declared if name not in used} == set()


def test_nothing_names_a_kind_by_a_string():
    """`record` takes what is declared, so a typo is found by mypy, and at the latest when the module is imported."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in RECORDERS:
                assert not isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"


@pytest.mark.django_db
def test_the_filter_offers_the_groups_in_order_and_each_kind_once():
    groups = [(str(label), [name for name, _label in offered]) for label, offered in kinds.choices()]
    assert [label for label, _names in groups] == [
        "Devices",
        "Products",
        "Customers",
        "Claims",
        "Shipments",
        "Members and settings",
    ]
    assert sorted(name for _label, names in groups for name in names) == kinds.names()
    assert [kind for kind, _label in subjects.choices()] == [
        "device",
        "product",
        "customer",
        "claimprofile",
        "member",
        "organization",
    ]


@pytest.mark.django_db
def test_a_link_saved_with_a_former_name_finds_the_events(scratch, client_for, actor, alice, device):
    kind = declare(former=("thing.tried",))
    record(kind, device, by=actor(alice))
    record(device_events.EDITED, device, by=actor(alice))
    page = client_for(alice).get("/activity/?kind=thing.tried")
    assert [event.kind for event in page.context["page"].rows] == ["thing.tested"]
    assert '<option value="thing.tested" selected>' in page.content.decode()


@pytest.mark.django_db
def test_a_line_whose_kind_nobody_declares_any_longer_is_described_in_plain_words(actor, alice, device):
    by = actor(alice)
    event = record(device_events.EDITED, device, by=by)
    event.kind = "device.imported"
    assert kinds.find(event.kind) is None
    described = describe.sentence(event, by)
    assert (described.icon, describe.label(event.kind)) == ("circle-dot", "Imported")
    assert strip_tags(described.text) == f"{event.actor_label}: Imported, {device.serial_number}"


@pytest.mark.django_db
def test_a_manifest_that_was_applied_is_linked(actor, alice, product):
    by = actor(alice)
    manifest = ManifestImport(pk=7, organization=product.organization, product=product)
    event = record(manifest_events.APPLIED, product, by=by, about=manifest)
    assert subjects.page_of("manifestimport", 7, by) != ""
    assert describe.sentence(event, by).text.count("href=") == 1


@pytest.mark.django_db
def test_what_the_log_finds_by_name_is_what_the_reader_may_see(actor, alice, device, foreign_device):
    found = [
        (kind, pk) for kind, _key, rows in subjects.searched(actor(alice)) for pk in rows.values_list("pk", flat=True)
    ]
    assert [pk for kind, pk in found if kind == "device"] == [device.pk]
    assert foreign_device.pk != device.pk
