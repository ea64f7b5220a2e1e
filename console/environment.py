"""Reads the settings that an operator sets through the environment. An invalid value stops the start."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """Return the variable `name`, or the content of the file that `name`_FILE points at, or `default`."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        try:
            return Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE is {file!r}, which can't be read: {error}.") from error
    return os.environ.get(name, default)


def flag(name: str, default: bool = False) -> bool:
    """Return a yes or no as a boolean. Raises ImproperlyConfigured for any other word."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of 1, 0, true, false, yes, no, on, off.")
    return value.lower() in TRUE


def number(name: str, default: int, *, least: int = 0, most: int = 2**53) -> int:
    """Return a whole number from `least` to `most`. Raises ImproperlyConfigured for anything else."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        found = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number.") from None
    if not least <= found <= most:
        limits = f"{least:,} to {most:,}" if most < 2**53 else f"{least:,} or more"
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be {limits}.")
    return found


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return networks in CIDR notation, separated by commas. Raises ImproperlyConfigured for anything else."""
    value = text(name)
    try:
        return [ip_network(part.strip()) for part in value.split(",") if part.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be networks such as 10.20.0.0/16, separated by commas: {error}."
        ) from None


def database(url: str, sqlite_file: Path) -> dict[str, Any]:
    """Return Django's database settings for a postgres:// or sqlite:// URL; without one, the SQLite file.

    SQLite transactions take the write lock at BEGIN (IMMEDIATE), so that a read followed by a write can't fail midway,
    and every commit is on disk (FULL) when it is acknowledged.
    """
    parts = urlsplit(url)
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": parts.port or "",
            # Only `sql.prepared_cursor` prepares statements.
            "OPTIONS": {"prepare_threshold": 5, **dict(parse_qsl(parts.query))},
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    if parts.scheme not in {"", "sqlite"}:
        raise ImproperlyConfigured(f"DATABASE_URL begins with {parts.scheme}://; use postgres:// or sqlite://.")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": parts.path if parts.scheme else sqlite_file,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;",
        },
        "CONN_MAX_AGE": 60,
    }


def mail(url: str) -> dict[str, Any]:
    """Return Django's mail settings for an smtp://, smtps:// or smtp+tls:// URL.

    Without a URL, mail is stored in files and can be read in the browser.
    """
    parts = urlsplit(url)
    if not url:
        return {}
    if parts.scheme not in {"smtp", "smtps", "smtp+tls"} or not parts.hostname:
        raise ImproperlyConfigured("CUSTODY_MAIL_URL must look like smtp+tls://user:password@host:587.")
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
    }
