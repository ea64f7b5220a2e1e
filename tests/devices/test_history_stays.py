"""The database itself protects the history in the ledger and the log from deletion."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from console.models import Event
from customers.models import ProjectMember
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.models import Ownership, SharedAccess
from tests import factories

pytestmark = pytest.mark.django_db
HISTORY = [Event, Ownership, SharedAccess, ProjectMember]


@pytest.fixture
def told(device, make_devices, customer, other_customer, alice, bob):
    by, (shared,) = factories.actor_of(alice), make_devices(1)
    project = customer.projects.get()
    ProjectMember.objects.create(
        organization=project.organization, project=project, user=bob, role="viewer", started_at=timezone.now()
    )
    ownership.assign([device.pk], customer=customer, by=by)
    ledger.share([shared.pk], Act(by), customer=other_customer, project=other_customer.projects.get(), reason="claim")


@pytest.mark.parametrize("model", HISTORY)
def test_the_database_refuses_to_delete_history(model, told):
    count = model.objects.count()
    with pytest.raises(IntegrityError, match="undeletable"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table}")
    assert model.objects.count() == count > 0


@pytest.mark.parametrize("model", HISTORY)
def test_no_orm_call_deletes_history(model, told):
    count = model.objects.count()
    with pytest.raises(DatabaseError), transaction.atomic():
        model.objects.all().purge()
    with pytest.raises(DatabaseError), transaction.atomic():
        model.objects.first().delete()
    assert model.objects.count() == count > 0


@pytest.mark.parametrize("model", HISTORY)
def test_the_database_refuses_to_truncate_a_history_table(model, told):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE.")
    with pytest.raises(IntegrityError, match="undeletable"), transaction.atomic(), connection.cursor() as cursor:
        # Otherwise the pending constraint checks would be the reason for the refusal.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")
    assert model.objects.exists()
