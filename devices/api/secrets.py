"""Secrets by which devices authenticate."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.response import Response

from console.access import Permission
from console.rest.endpoints import endpoint
from console.webhooks.api import SecretOut
from devices.actions import secrets
from devices.models import Device

TAG = "secrets"


@endpoint(
    "Create a new secret for a device", may=Permission.DEVICE_EDIT, answers=SecretOut, is_secret=True, tag="devices"
)
def device_secret(request: Any, pk: int) -> Any:
    """Create a secret for the device. It is shown only in this answer, and the one before stops working at once."""
    device = get_object_or_404(Device.objects.visible_to(request.actor).filter(archived_at=None), pk=pk)
    secret = secrets.renew([device.pk], by=request.actor)[device.pk]
    return Response({"secret": secret}, headers={"Cache-Control": "no-store"})
