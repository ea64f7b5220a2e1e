"""Writes checked rows to the database in batches, within the transaction of the caller."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from console import sql, words
from console.access import Actor
from console.audit import record_each, record_set
from console.imports import Staged, Staging, Verdict
from console.imports.lifecycle import Outdated
from console.models import Organization
from customers import events
from customers.imports.registered import COMPARED, differences
from customers.models import Customer, CustomerImport, CustomerKind, Project

BATCH = 2_000
_KEYS = ("name_key", "reference_key", "email_key")


def insert_new(row: CustomerImport, staging: Staging, *, by: Actor, at: datetime, act: UUID) -> None:
    """Create customers from the new rows, each with its default project and an event in the log.

    Raises Outdated if a customer of the same name was created since the check, and IntegrityError if one with the same
    reference was.
    """
    _refuse_newcomers(row, staging)
    rows = staging.read(Verdict.NEW)
    while batch := list(islice(rows, BATCH)):
        made = Customer.objects.bulk_create([_new(row.organization, each.values, at) for each in batch])
        words.write("customer", {customer.pk: customer.name for customer in made}, are_new=True)
        Project.objects.bulk_create(
            Project(organization_id=c.organization_id, customer=c, name=c.name, is_default=True, created_at=at)
            for c in made
        )
        ids = [customer.pk for customer in made]
        record_set(events.CUSTOMER_IMPORTED, Customer, ids, label="name", by=by, act=act, at=at)


def update_changed(row: CustomerImport, staging: Staging, *, by: Actor, at: datetime, act: UUID) -> int:
    """Write the changed rows to their customers and log the changes. Returns how many customers changed.

    Raises Outdated if a customer is no longer the one that the check found.
    """
    rows, count = staging.read(Verdict.CHANGED), 0
    while batch := list(islice(rows, BATCH)):
        count += _update(row.organization, batch, by=by, at=at, act=act)
    return count


def _refuse_newcomers(row: CustomerImport, staging: Staging) -> None:
    """Raise Outdated if a customer with one of the new names was created since the check.

    No constraint keeps names apart, so this has to be checked here.
    """
    recent = Customer.objects.filter(organization=row.organization, created_at__gte=row.checked_at)
    names = set(recent.values_list("name_key", flat=True))
    if names and any(name in names for (name,) in staging.tuples(Verdict.NEW, ("name_key",))):
        raise Outdated


def _new(organization: Organization, values: dict[str, Any], at: datetime) -> Customer:
    told = {name: values[name] or "" for name in COMPARED}
    customer = Customer(
        organization=organization, **told | {"kind": told["kind"] or CustomerKind.COMPANY}, created_at=at
    )
    customer.set_keys()
    return customer


def _update(organization: Organization, batch: Iterable[Staged], *, by: Actor, at: datetime, act: UUID) -> int:
    targets = {each.target: each.values for each in batch if each.target is not None}
    mine = Customer.objects.filter(organization=organization, archived_at=None).order_by("pk")
    locked = list(sql.having_ids(mine.select_for_update(), "id", sorted(targets)))
    if len(locked) < len(targets):
        raise Outdated
    changed = []
    for customer in locked:
        values = targets[customer.pk]
        if values["reference_key"] != customer.reference_key and values["name_key"] != customer.name_key:
            raise Outdated
        if change := differences(customer, values):
            for name, (_old, new) in change.items():
                setattr(customer, name, new)
            customer.set_keys()
            changed.append((customer, change))
    sql.update_rows(Customer, [customer for customer, _change in changed], [*COMPARED, *_KEYS])
    words.write("customer", {customer.pk: customer.name for customer, change in changed if "name" in change})
    record_each(events.CUSTOMER_EDITED, changed, by=by, at=at, act=act)
    return len(changed)
