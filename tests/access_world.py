"""One row of each kind, for the access table."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from claims.models import ClaimProfile, LabelSheet
from claims.profiles.actions import codes as claim_codes
from claims.returns.actions import inspection as return_inspection
from claims.returns.actions import returns
from claims.shipments.actions import shipments
from console.access import Permission
from console.models import Invitation, Operation, OrganizationDomain
from console.webhooks import actions as webhooks
from customers.keys.actions import api_keys
from customers.models import CustomerImport
from customers.projects.actions import projects
from devices import ledger
from devices.actions import undo
from devices.acts import Act
from devices.calls import actions as calls
from devices.models import ManifestImport, RoundTrip, SharedAccess
from tests import factories


def rows(organization: Any, device: Any, customer: Any, dana: Any, product: Any, alice: Any, owned: Any) -> dict:
    """The rows by the names that the table uses. `owned` belongs to the customer, and `device` is shared with it."""
    by, project = factories.actor_of(alice), projects.default_of(customer)
    coming = factories.make_device(product)
    ledger.assign([owned.pk, coming.pk], Act(by), customer=customer, project=project, reason="assignment")
    ledger.share([device.pk], Act(by), customer=customer, project=project, reason="claim")
    fleet = factories.make_customer(organization, "Northlake fleet", kind="internal")
    ledger.share([owned.pk], Act(by), customer=fleet, project=fleet.projects.get(), reason="claim")
    profile = ClaimProfile(organization=organization, slug="pilot", name="Pilot")
    profile.set_keys()
    profile.save()
    claim_codes.make_for_profile(profile)
    by_unit = ClaimProfile(organization=organization, slug="units", name="Units", scope="unit", product=product)
    by_unit.set_keys()
    by_unit.save()
    claim_codes.make_for_devices(by_unit, [device.pk, owned.pk, coming.pk])
    files = {"file_name": "a.csv", "stored_as": "none", "sha256": "0" * 64, "size": 1, "by_label": "Alice"}
    hook = webhooks.create(url="https://hooks.northlake.example/", events=["message"], by=by)
    return {
        "webhook": hook,
        "webhook_call": webhooks.send_test(hook, by=by),
        "device": device,
        "owned_device": owned,
        "share": SharedAccess.objects.get(device=device),
        "owned_share": SharedAccess.objects.get(device=owned),
        "project_member": factories.let_in(
            project, factories.make_member(organization, "support", "kim@northlake.example")
        ),
        "customer": customer,
        "person": dana,
        "call": calls.ask(device, kind="variable", name="voltage", by=by),
        "owned_call": calls.ask(owned, kind="variable", name="voltage", by=by),
        "customer_key": api_keys.create(name="Backend", scopes=["customer.read"], by=by, customer=customer)[0],
        "project": project,
        "product": product,
        "profile": profile,
        "unit_profile": by_unit,
        "shipment": shipments.create(customer=customer, lines={product: 1}, by=by),
        "label_sheet": LabelSheet.objects.create(
            organization=organization, stock="L7160", form="pdf", count=1, created_by="Alice"
        ),
        "member": factories.make_member(organization, "viewer").memberships.get(),
        "domain": OrganizationDomain.objects.create(organization=organization, host="claim.northlake.example"),
        "invitation": Invitation.objects.create(
            organization=organization,
            email="new@northlake.example",
            role="viewer",
            token_sha256="0" * 64,
            invited_by="Alice",
            expires_at=timezone.now() + timedelta(days=7),
        ),
        "api_key": api_keys.create(name="Line 3", scopes=["view"], by=by)[0],
        "operation": operation_of(organization),
        "assigned": _bulk(organization, Permission.DEVICE_ASSIGN, undo.ASSIGN, customer),
        "unclaimed": _bulk(organization, Permission.DEVICE_UNCLAIM, undo.UNCLAIM, customer),
        "received": _bulk(organization, Permission.RETURN_RECEIVE, returns.UNDO, customer),
        "inspected": _bulk(organization, Permission.RETURN_EDIT, return_inspection.UNDO, customer),
        "return": returns.request(coming, customer=customer, reason="Upgrade", by=factories.actor_of(dana)),
        "manifest": ManifestImport.objects.create(organization=organization, product=product, **files),
        "round_trip": RoundTrip.objects.create(organization=organization, **files),
        "customer_import": CustomerImport.objects.create(organization=organization, **files),
    }


def operation_of(organization: Any) -> Operation:
    """An operation that is over."""
    return Operation.objects.create(
        organization=organization,
        handler="none",
        title="None",
        permission=Permission.VIEW,
        by_label="Alice",
        state="done",
    )


def _bulk(organization: Any, permission: Permission, undo_route: str, customer: Any) -> Operation:
    """A bulk operation that is over and can be undone."""
    return Operation.objects.create(
        organization=organization,
        handler="none",
        title="Bulk",
        permission=permission,
        by_label="Alice",
        state="done",
        succeeded=1,
        finished_at=timezone.now(),
        undo_route=undo_route,
        payload={"ids": [], "customer": customer.pk},
    )
