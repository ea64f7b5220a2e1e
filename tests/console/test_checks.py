"""What the server refuses to run with."""

import os

import pytest
from django.core.management import call_command

from console import checks, environment


def found(check) -> list[str]:
    return [message.id for message in check()]


def test_the_settings_as_they_are_pass(db, monkeypatch, tmp_path):
    call_command("check")
    # Those of the product: on SQLite the tests do without the disk.
    product = environment.database(os.environ.get("DATABASE_URL", ""), tmp_path / "custody.sqlite3")
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": product})
    assert [message for check in checks.ALL for message in check()] == []


@pytest.mark.parametrize("host", ["*", ".example.com", "*.example.com"])
def test_a_wildcard_host_is_refused(settings, host):
    settings.ALLOWED_HOSTS = ["localhost", host]
    assert found(checks.hosts_are_named) == ["custody.E001"]


def test_sqlite_must_take_its_lock_first_and_keep_what_it_acknowledged(monkeypatch):
    options = {"transaction_mode": "DEFERRED", "init_command": "PRAGMA synchronous=NORMAL;"}
    database = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": options}
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": database})
    assert found(checks.sqlite_takes_its_lock_first) == ["custody.E002"]
    assert found(checks.sqlite_keeps_what_it_acknowledged) == ["custody.E003"]
    monkeypatch.setattr(
        checks.settings, "DATABASES", {"default": {"ENGINE": "django.db.backends.postgresql"}}
    )
    assert found(checks.sqlite_takes_its_lock_first) + found(checks.sqlite_keeps_what_it_acknowledged) == []


@pytest.mark.parametrize("key", ["short", "a" * 60])
def test_a_weak_secret_key_is_refused(settings, key):
    settings.SECRET_KEY = key
    assert found(checks.secret_key_is_long) == ["custody.E004"]


def test_a_server_without_claim_keys_is_refused(settings):
    settings.CLAIM_KEYS = {}
    assert found(checks.claim_keys_are_there) == ["custody.E005"]


def test_debugging_on_a_public_address_is_refused(settings):
    settings.DEBUG, settings.SECURE = True, True
    assert found(checks.debug_stays_at_home) == ["custody.E006"]


def test_a_public_address_without_encryption_is_warned_of(settings):
    settings.BASE_URL, settings.SECURE, settings.EMBEDDED, settings.DEBUG = (
        "http://custody.example.com",
        False,
        False,
        False,
    )
    assert found(checks.base_url_is_encrypted) == ["custody.W001"]
    settings.EMBEDDED = True
    assert found(checks.base_url_is_encrypted) == []
