"""Identifies the calling device: Basic auth with its device name and secret (RFC 7617). No session, cookie or cache."""

import base64
import binascii
import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from console import sql, throttle
from console.errors import Refused, problem
from console.fields import fold
from console.models import Organization, Webhook
from console.policies import View, public
from devices.actions.secrets import sha256
from devices.messages.actions import Publisher
from devices.messages.window import BadMessage
from devices.models import Device, Ownership, SharedAccess

# Number of wrong secrets per address and period (in seconds) that are answered as wrong; after that the answer is to
# wait.
TRIES, SECONDS = 60, 60
LONGEST = 512
KEPT = 20_000
NOBODY = "0" * 64
# Compared if no device has the name, so that this takes equally long.
STRANGER = (0, 0, NOBODY, None, None, None, False)
# Credentials, with their addresses, that were right before: such a device may publish in one statement, which checks
# both again.
_proven: OrderedDict[bytes, None] = OrderedDict()
# Addresses that guessed too often, and until when: meanwhile their wrong secrets are not counted in the database.
_blocked: dict[str, float] = {}


class Unknown(Refused):
    """Unknown device, wrong secret, or archived device: the answer does not reveal which."""

    def __init__(self) -> None:
        super().__init__(
            "unauthorized",
            "Send a device name and its secret with Basic authentication.",
            status=401,
            headers={"WWW-Authenticate": 'Basic realm="Custody devices"'},
        )


def not_at_once(request: HttpRequest) -> HttpResponse | None:
    """Answer nothing before the device is looked up: the default, which only one view replaces."""
    return None


def device(
    *methods: str, at_once: Callable[[HttpRequest], HttpResponse | None] = not_at_once
) -> Callable[[View], View]:
    """Open a view to devices: it receives the request and the Publisher. Refusals are answered as problem documents.

    `at_once` may answer first; it must check the name and the secret itself.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @public("A device authenticates with its secret in every request.")
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return at_once(request) or view(request, authenticate(request), *args, **kwargs)
            except BadMessage as bad:
                place: dict[str, Any] = {} if bad.index is None else {"index": bad.index}
                return problem(bad.code, bad.sentence, bad.status, **place)
            except Refused as refusal:
                return problem(refusal.code, refusal.sentence, refusal.status, headers=refusal.headers, **refusal.facts)

        @wraps(guarded)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            # Checked before `public` checks the method, which would answer with an empty page.
            return guarded(request, *args, **kwargs) if request.method in methods else _not_allowed(methods)

        return answered

    return decorate


def _not_allowed(methods: tuple[str, ...]) -> HttpResponse:
    allowed = ", ".join(methods)
    sentence = _("This URL doesn't support this method. Use %(allowed)s.") % {"allowed": allowed}
    return problem("method_not_allowed", sentence, 405, headers={"Allow": allowed})


def authenticate(request: HttpRequest) -> Publisher:
    """Return the device that sent its name and secret. Raises Unknown, and Refused (429) if the address guesses.

    The right secret is accepted whatever its address sent before. Secrets have at least 16 characters, generated ones
    256 bits: a limit on guesses adds nothing to that, and would let one guesser lock out all devices of a site.
    """
    header, address = request.META.get("HTTP_AUTHORIZATION", ""), throttle.address_of(request)
    credential = _credential(address, header)
    found = find(*_parsed(header))
    if found is None:
        _proven.pop(credential, None)
        _count(address)
        raise Unknown
    if credential not in _proven:
        _remember(credential)
    return found


def proven(request: HttpRequest) -> tuple[str, str] | None:
    """Return the folded name and the secret's hash if both were right before; whether they still are is not checked."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if _credential(throttle.address_of(request), header) not in _proven:
        return None
    name, secret = _parsed(header)
    return fold(name), sha256(secret)


def find(name: str, secret: str) -> Publisher | None:
    """Return the device with this name and secret. If devices of two organizations share a name, the secret decides."""
    given, found = sha256(secret), None
    candidates = _candidates(fold(name)) if name and "\0" not in name else []
    for pk, organization, kept, project, owned, shared, is_heard in candidates or [STRANGER]:
        if hmac.compare_digest(given, kept or NOBODY) and kept:
            times = [_aware(each) for each in (owned, shared) if each]
            found = Publisher(pk, organization, project, max(times, default=None), bool(is_heard))
    return found if found and found.device_id else None


def forget() -> None:
    """Forget all credentials and blocked addresses. For tests, which share a process."""
    _proven.clear()
    _blocked.clear()


def _credential(address: str, header: str) -> bytes:
    return hashlib.sha256(f"{address} {header}".encode(errors="replace")).digest()


def _candidates(key: str) -> list[tuple[Any, ...]]:
    with sql.prepared_cursor(_statement(), [key]) as cursor:
        return cursor.fetchall()


@cache
def _statement() -> str:
    """Return SQL that reads all that publishing needs of a device; short subqueries are planned faster than joins."""
    devices, spans, shares = sql.table(Device), sql.table(Ownership), sql.table(SharedAccess)
    return (
        "SELECT d.id, d.organization_id, d.secret_sha256, "  # noqa: S608
        f"(SELECT s.project_id FROM {spans} AS s WHERE s.device_id = d.id AND s.ended_at IS NULL), "
        f"(SELECT MAX(COALESCE(s.ended_at, s.started_at)) FROM {spans} AS s WHERE s.device_id = d.id), "
        f"(SELECT MAX(COALESCE(s.ended_at, s.started_at)) FROM {shares} AS s WHERE s.device_id = d.id), "
        f"EXISTS (SELECT 1 FROM {sql.table(Webhook)} AS w "
        "WHERE w.organization_id = d.organization_id AND w.is_enabled) "
        f"FROM {devices} AS d WHERE d.name_key = %s AND d.archived_at IS NULL "
        # The unique index of names begins with the organization.
        f"AND d.organization_id IN (SELECT id FROM {sql.table(Organization)}) ORDER BY d.id DESC"
    )


def _aware(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _parsed(header: str) -> tuple[str, str]:
    kind, _space, text = header.partition(" ")
    if kind.lower() != "basic" or len(header) > LONGEST:
        return "", ""
    try:
        name, colon, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return (name, secret) if colon else ("", "")


def _remember(credential: bytes) -> None:
    _proven[credential] = None
    while len(_proven) > KEPT:
        _proven.popitem(last=False)


def _count(address: str) -> None:
    now = time.monotonic()
    if _blocked.get(address, 0.0) > now:
        raise _too_many()
    if not throttle.has_left("device-api", address, limit=TRIES, seconds=SECONDS):
        for each in [each for each, until in list(_blocked.items()) if until < now]:
            _blocked.pop(each, None)
        _blocked[address] = now + SECONDS / throttle.SLICES
        raise _too_many()


def _too_many() -> Refused:
    return Refused(
        "too_many_tries",
        "Too many wrong secrets from this address. Wait a minute and try again.",
        status=429,
        headers={"Retry-After": str(SECONDS)},
    )
