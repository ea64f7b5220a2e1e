"""The device API. Every answer is JSON, and every view is open to devices only."""

import time
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from console.errors import Refused, problem
from devices.calls import actions as calls
from devices.device_api import actions as reports
from devices.device_api.authentication import authenticate, device, proven
from devices.device_api.state import state_of, text_of
from devices.messages import window as messages
from devices.messages.actions import Publisher, publish, publish_at_once
from devices.messages.window import BadMessage
from devices.models import Call

LONGEST_WAIT = 25
# Seconds between two lookups of calls for a waiting device.
PAUSE = 0.5
# A waiting device occupies a thread of the server. Some must stay free for everyone else.
_room = BoundedSemaphore(max(1, settings.DEVICE_WAITS))


def _message_at_once(request: HttpRequest) -> HttpResponse | None:
    """Store a single message of a device that has authenticated before; otherwise return None and store nothing."""
    credentials = proven(request)
    if credentials is None:
        return None
    try:
        drafts = messages.read(_body(request))
    except Refused:
        return None
    name_key, secret_sha256 = credentials
    if len(drafts) > 1 or not publish_at_once(drafts[0], name_key=name_key, secret_sha256=secret_sha256):
        return None
    return JsonResponse({"accepted": 1}, status=202)


@device("POST", at_once=_message_at_once)
def message_create(request: HttpRequest, by: Publisher) -> HttpResponse:
    """Publish one message or a list of them: all or none."""
    drafts = messages.read(_body(request))
    publish(drafts, by=by)
    return JsonResponse({"accepted": len(drafts)}, status=202)


@device("GET", "HEAD", "POST")
def state(request: HttpRequest, by: Publisher) -> HttpResponse:
    """Return the device's state; on POST, store what the device reports first."""
    if request.method == "POST":
        _report(messages.loads(_body(request)), by)
    return JsonResponse(state_of(by))


@device("GET")
def call_list(request: HttpRequest, by: Publisher) -> HttpResponse:
    """Return the calls that wait for the device; if there are none, wait up to `wait` seconds for some."""
    wait = _seconds(request.GET.get("wait", "0"))
    if wait is None:
        return _bad_wait()
    found = calls.deliver(by=by)
    if found or not wait:
        return _calls(found)
    if not _room.acquire(blocking=False):
        return _calls([], headers={"Retry-After": str(LONGEST_WAIT)})
    try:
        return _calls(_wait_for_calls(request, by, wait))
    finally:
        _room.release()


@device("POST")
def call_answer(request: HttpRequest, by: Publisher, pk: int) -> HttpResponse:
    """Answer a call with its result or an error."""
    value = messages.loads(_body(request))
    if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= {"result", "error"}:
        raise BadMessage(_("Send an object with either a result or an error."))
    if "error" in value and not isinstance(value["error"], str):
        raise BadMessage(_("The error must be text."))
    calls.answer(pk, by=by, result=value.get("result"), error=_clean(value.get("error")))
    return JsonResponse({"accepted": 1}, status=202)


def _wait_for_calls(request: HttpRequest, by: Publisher, wait: float) -> list[Call]:
    """Wait for calls. The device is authenticated again before delivery, because its secret may have changed."""
    until = time.monotonic() + wait
    while time.monotonic() < until:
        if not connection.in_atomic_block:
            close_old_connections()
        time.sleep(PAUSE)
        if calls.any_waiting(by=by) and (found := calls.deliver(by=authenticate(request))):
            return found
    return []


def _calls(found: list[Call], headers: dict[str, str] | None = None) -> HttpResponse:
    bodies = [
        {
            "id": call.pk,
            "kind": call.kind,
            "name": call.name,
            "argument": call.argument,
            "asked_at": text_of(call.asked_at),
            "expires_at": text_of(call.expires_at),
        }
        for call in found
    ]
    return JsonResponse({"calls": bodies}, headers=headers)


def _report(value: Any, by: Publisher) -> None:
    if not isinstance(value, dict) or not value or not value.keys() <= {"firmware_version", "wiped"}:
        raise BadMessage(_("Send an object with firmware_version, wiped, or both."))
    version, wiped = value.get("firmware_version"), value.get("wiped")
    if version is not None and not (isinstance(version, str) and 1 <= len(version) <= 64 and version.isprintable()):
        raise BadMessage(_("The firmware version must be text of 1 to 64 characters."))
    asked_at = _asked_at(wiped) if wiped is not None else None
    if version is not None:
        reports.report_firmware(version, by=by)
    if asked_at is not None:
        reports.confirm_wipe(asked_at, by=by)


def _asked_at(value: Any) -> datetime:
    at = messages.moment(value)
    if at is None:
        raise BadMessage(_("Send the asked_at of the wipe, as in the state, as wiped."))
    return at


def _body(request: HttpRequest) -> bytes:
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > messages.MAX_BODY:
        raise Refused("too_large", _("This is more than 2 MB. Send fewer messages at once."), status=413)
    # The request keeps its body, so it can be read a second time.
    return request.body if length > 0 else b""


def _seconds(text: str) -> float | None:
    """Return how long to wait, capped at the longest wait; None if the text is not a whole number of seconds."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    # Python refuses to read numbers of thousands of digits.
    return float(min(int(digits or "0"), LONGEST_WAIT)) if len(digits) < 9 else float(LONGEST_WAIT)


def _bad_wait() -> HttpResponse:
    most = {"most": LONGEST_WAIT}
    sentence = (
        _("The wait must be a whole number of seconds from 0 to %(most)s. Larger numbers count as %(most)s.") % most
    )
    errors = [{"field": "wait", "detail": sentence}]
    return problem("invalid", _("Some parameters are invalid."), 422, errors=errors)


def _clean(error: str | None) -> str | None:
    return error if error is None else error.encode(errors="replace").decode().replace("\0", "")
