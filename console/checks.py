"""Configurations that this server refuses to run with, or warns about, and that Django's own checks do not cover."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks

from console import environment

log = logging.getLogger("custody.checks")
LOCAL = ("127.", "::1", "[::1]", "localhost", "unix:")
Found = list[CheckMessage]


@register(Tags.security)
def hosts_are_named(**kwargs: Any) -> Found:
    """Check the allowed hosts. A wildcard would let a foreign host name into mails, links and QR codes."""
    loose = [host for host in settings.ALLOWED_HOSTS if "*" in host or host.startswith(".")]
    if not loose:
        return []
    return [
        Error(
            f"CUSTODY_HOSTS contains {', '.join(loose)}.",
            hint="List each host by name, without * and without a leading dot.",
            id="custody.E001",
        )
    ]


@register(Tags.database)
def sqlite_takes_its_lock_first(**kwargs: Any) -> Found:
    """Check that SQLite transactions lock at BEGIN.

    Otherwise one that reads and then writes fails midway under load.
    """
    if not _on_sqlite() or _options().get("transaction_mode") == "IMMEDIATE":
        return []
    return [
        Error(
            "SQLite's transaction_mode is not IMMEDIATE.",
            hint="Leave the DATABASES setting as it is.",
            id="custody.E002",
        )
    ]


@register(Tags.database)
def sqlite_keeps_what_it_acknowledged(**kwargs: Any) -> Found:
    """Check that SQLite runs with FULL. Anything less may lose acknowledged commits when the power fails."""
    command = _options().get("init_command", "").replace(" ", "").lower()
    if not _on_sqlite() or "synchronous=full" in command or "synchronous=extra" in command:
        return []
    return [Error("SQLite's synchronous is not FULL.", hint="Leave the DATABASES setting as it is.", id="custody.E003")]


@register(Tags.security)
def secret_key_is_long(**kwargs: Any) -> Found:
    """Check the length of the secret key, which signs sessions and mailed links."""
    if len(settings.SECRET_KEY) >= 40 and len(set(settings.SECRET_KEY)) >= 10:
        return []
    return [
        Error("CUSTODY_SECRET_KEY is too short.", hint="Set it to at least 40 random characters.", id="custody.E004")
    ]


@register(Tags.security)
def claim_keys_are_there(**kwargs: Any) -> Found:
    """Check that there are claim keys. Without them no printed label can be redeemed."""
    if settings.CLAIM_KEYS:
        return []
    return [
        Error("No claim key is set.", hint="Set CUSTODY_CLAIM_KEYS to id:hex, at least 32 bytes.", id="custody.E005")
    ]


@register(Tags.security)
def debug_stays_at_home(**kwargs: Any) -> Found:
    """Check that debug mode is off. Its error pages contain settings and code that only developers may see."""
    if not (settings.DEBUG and settings.SECURE):
        return []
    return [Error("CUSTODY_DEBUG is on for an https address.", hint="Unset CUSTODY_DEBUG.", id="custody.E006")]


@register(Tags.security)
def base_url_is_encrypted(**kwargs: Any) -> Found:
    """Check that the base URL is https, because passwords and claim codes pass through it.

    The embedded default serves a single machine and causes no warning.
    """
    if settings.SECURE or settings.EMBEDDED or settings.DEBUG or settings.BASE_URL.startswith("http://localhost"):
        return []
    return [
        Warning(
            f"CUSTODY_BASE_URL is {settings.BASE_URL}, which is not encrypted.",
            hint="Set an https:// address.",
            id="custody.W001",
        )
    ]


@register(Tags.security)
def no_stranger_reaches_the_server_without_a_proxy(**kwargs: Any) -> Found:
    """Check that the port is reachable only through a proxy. Direct connections to it have no TLS."""
    address = environment.text("CUSTODY_BIND", "127.0.0.1")
    if address.startswith(LOCAL) or settings.ALLAUTH_TRUSTED_PROXY_COUNT or settings.DEBUG:
        return []
    return [
        Warning(
            f"CUSTODY_BIND is {address}, and CUSTODY_PROXIES is 0: anyone on the network can reach the server "
            "without encryption.",
            hint="Put a proxy that terminates TLS in front and set CUSTODY_PROXIES=1, or bind to 127.0.0.1.",
            id="custody.W002",
        )
    ]


def refuse_what_is_unfit() -> None:
    """Run all checks, as manage.py does. Logs warnings; raises RuntimeError naming what the server must not run with.

    gunicorn prints a RuntimeError as a sentence.
    """
    found = [message for message in run_checks(databases=["default"]) if not message.is_silenced()]
    serious = [message for message in found if message.is_serious()]
    for message in found:
        if message not in serious:
            log.warning("%s %s (%s)", message.msg, message.hint or "", message.id)
    if serious:
        raise RuntimeError("\n".join(f"{message.msg} {message.hint or ''} ({message.id})" for message in serious))


ALL: list[Callable[..., Found]] = [
    hosts_are_named,
    sqlite_takes_its_lock_first,
    sqlite_keeps_what_it_acknowledged,
    secret_key_is_long,
    claim_keys_are_there,
    debug_stays_at_home,
    base_url_is_encrypted,
    no_stranger_reaches_the_server_without_a_proxy,
]


def _on_sqlite() -> bool:
    return settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


def _options() -> dict[str, Any]:
    return settings.DATABASES["default"].get("OPTIONS", {})
