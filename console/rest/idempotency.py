"""Repeated calls with the same `Idempotency-Key` get the response of the first one.

The response is saved in the transaction of the work, so that either both exist or neither. A refusal is not saved, and
the call is tried again; what was recorded about the refusal stays, as it does without a key. Of two simultaneous calls,
the second waits for the first, then gets its response.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException

from console.errors import Refused
from console.models import IdempotentAnswer
from console.transactions import retrying

KEPT = timedelta(hours=24)
REFUSALS = (Refused, APIException, Http404, PermissionDenied)
VISIBLE = re.compile(r"[!-~]{1,255}")


def once(token: str, *, key_id: int, said: bytes, act: Callable[[], Any]) -> HttpResponse:
    """Return the response of `act`, or the saved one if the same call was made before.

    `said` identifies the call: method, address and body. Raises Refused (422) if the token is malformed or came with a
    different call.
    """
    if not VISIBLE.fullmatch(token):
        raise Refused("bad_idempotency_key", _("An Idempotency-Key has 1 to 255 visible ASCII characters."), status=422)
    answer = _once(token, key_id, hashlib.sha256(said).hexdigest(), act)
    if isinstance(answer, Exception):
        raise answer
    return answer


@retrying
def _once(token: str, key_id: int, digest: str, act: Callable[[], Any]) -> HttpResponse | Exception:
    """Return the response or the refusal. Raising it here would roll back what was recorded about the refusal."""
    mine = {"key_id": key_id, "token": token}
    IdempotentAnswer.objects.bulk_create([IdempotentAnswer(**mine, digest=digest)], ignore_conflicts=True)
    row = IdempotentAnswer.objects.get(**mine)
    if row.digest != digest:
        raise Refused(
            "idempotency_key_reused",
            _("This Idempotency-Key was already used for another call. Use a new one for a new call."),
            status=422,
        )
    if row.status is not None:
        return HttpResponse(
            row.body, status=row.status, content_type=row.content_type, headers={"Idempotent-Replayed": "true"}
        )
    try:
        response = act()
    except REFUSALS as refusal:
        row.delete()
        return refusal
    response = response.render() if hasattr(response, "render") and not response.is_rendered else response
    IdempotentAnswer.objects.filter(pk=row.pk).update(
        status=response.status_code, body=response.content, content_type=response["Content-Type"]
    )
    return response


@transaction.atomic
def delete_old(at: datetime | None = None) -> int:
    """Delete responses saved more than 24 hours ago. Returns how many."""
    before = (at or timezone.now()) - KEPT
    return IdempotentAnswer.objects.filter(created_at__lt=before).delete()[0]
