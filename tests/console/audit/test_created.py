"""Kinds of events that ended in `.made` end in `.created`: old lines are renamed, and old links find them."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from console.audit import kinds
from console.models import Event
from devices import events as device_events
from tests.api import Caller, key_of

pytestmark = pytest.mark.django_db
migration = import_module("console.migrations.0022_events_say_created")
RENAMED = [kind for kind in kinds.registry.declared if kind.former]


@pytest.fixture
def old_lines(organization, other_organization):
    """A line of each old name in two organizations, and one that keeps its name."""
    names = [f"{thing}.made" for thing in migration.THINGS] + ["device.edited"]
    rows = [
        Event(organization=each, kind=name, subject_kind="product", subject_id=7, subject_label=name, actor_label="A")
        for each in (organization, other_organization)
        for name in names
    ]
    return Event.objects.bulk_create(rows)


def found() -> list[str]:
    return sorted(Event.objects.values_list("kind", flat=True))


@pytest.mark.parametrize("batch", [1, 10_000])
def test_every_line_is_renamed_in_batches_and_back(old_lines, batch, monkeypatch):
    monkeypatch.setattr(migration, "BATCH", batch)
    before = found()
    # Not entered: on SQLite an editor can't be within the test's transaction, and this needs nothing of that.
    editor = connection.schema_editor()
    migration.forwards(apps, editor)
    assert found() == sorted(name.replace(".made", ".created") for name in before)
    assert Event.objects.filter(kind="product.created").count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.update(kind="product.made")
    migration.backwards(apps, editor)
    assert found() == before


def test_each_thing_of_the_migration_is_declared_with_its_former_name():
    assert sorted((kind.name, kind.former) for kind in RENAMED) == [
        (f"{thing}.created", (f"{thing}.made",)) for thing in migration.THINGS
    ]
    assert not [name for name in kinds.names() if name.endswith(".made")]


def test_a_filter_with_an_old_name_finds_the_renamed_lines(client_for, alice, product, organization):
    kind = device_events.PRODUCT_CREATED
    Event.objects.create(
        organization=organization,
        kind=kind.name,
        subject_kind="product",
        subject_id=product.pk,
        subject_label="Air",
        actor_label="A",
    )
    page = client_for(alice).get("/activity/?kind=product.made")
    assert [event.kind for event in page.context["page"].rows] == ["product.created"]
    export = client_for(alice).get("/activity/export/?kind=product.made&format=csv")
    assert b"product.created" in b"".join(export.streaming_content)
    api = Caller(key_of(alice))
    for name in ("product.made", "product.created"):
        assert [row["kind"] for row in api.get("/events", kind=name).json()["results"]] == ["product.created"]
    assert api.get("/events", kind="product.lost").status_code == 400
