"""What the server refuses to run with."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as settings_of_the_product
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
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": {"ENGINE": "django.db.backends.postgresql"}})
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


@pytest.mark.parametrize(
    ("address", "proxies", "warned"),
    [
        ("0.0.0.0", 0, True),
        ("::", 0, True),
        ("10.0.0.5", 0, True),
        ("0.0.0.0", 1, False),
        ("127.0.0.1", 0, False),
        ("unix:/run/custody.sock", 0, False),
        ("[::1]", 0, False),
    ],
)
def test_a_server_that_everybody_reaches_without_a_proxy_is_warned_of(settings, monkeypatch, address, proxies, warned):
    monkeypatch.setenv("CUSTODY_BIND", address)
    settings.ALLAUTH_TRUSTED_PROXY_COUNT, settings.DEBUG = proxies, False
    assert found(checks.no_stranger_reaches_the_server_without_a_proxy) == ["custody.W002"] * warned


@pytest.mark.django_db  # Django asks SQLite whether it knows JSON.
def test_the_application_refuses_what_manage_py_refuses(settings):
    settings.ALLOWED_HOSTS = ["*"]
    with pytest.raises(RuntimeError, match=r"CUSTODY_HOSTS contains \*\. List each host by name.*custody\.E001"):
        checks.refuse_what_is_unfit()


def test_gunicorn_started_by_itself_says_what_is_wrong_and_does_not_start(tmp_path):
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "console.wsgi",
        "--preload",
        "--bind=127.0.0.1:0",
        "--no-control-socket",
    ]
    environ = {
        "PATH": os.environ["PATH"],
        "CUSTODY_DATA": str(tmp_path),
        "CUSTODY_HOSTS": "*",
        "CUSTODY_SECRET_KEY": "short",
        "CUSTODY_CLAIM_KEYS": "t1:" + "11" * 32,
    }
    ended = subprocess.run(
        gunicorn,
        cwd=settings_of_the_product.BASE_DIR,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert "custody.E001" in ended.stderr
    assert "custody.E004" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CUSTODY_PROXIES", "-1", "it must be 0 to 10"),
        ("CUSTODY_PROXIES", "11", "it must be 0 to 10"),
        ("PORT", "0", "it must be 1 to 65,535"),
        ("PORT", "65536", "it must be 1 to 65,535"),
        ("CUSTODY_UPLOAD_LIMIT", "-5", "it must be 1,000 or more"),
        ("CUSTODY_WEBHOOK_DAYS", "0", "it must be 1 or more"),
        ("CUSTODY_MESSAGE_DAYS", "-3", "it must be 0 or more"),
        ("CUSTODY_DEVICE_WAITS", "-1", "it must be 0 or more"),
        ("CUSTODY_API_CALLS_A_MINUTE", "0", "it must be 1 or more"),
        ("CUSTODY_PROXIES", "one", "it must be a whole number"),
        ("CUSTODY_DEBUG", "perhaps", "it must be one of"),
        ("CUSTODY_WEBHOOK_NETWORKS", "10.0.0.1/8", "it must be networks"),
        ("CUSTODY_BASE_URL", "ftp://x", "it must look like"),
        ("CUSTODY_MAIL_URL", "http://x", "must look like"),
    ],
)
def test_a_setting_that_makes_no_sense_stops_the_start_with_a_sentence(tmp_path, name, value, sentence):
    keys = {"CUSTODY_SECRET_KEY": "k" * 50, "CUSTODY_CLAIM_KEYS": "t1:" + "11" * 32}
    environ = {"PATH": os.environ["PATH"], "CUSTODY_DATA": str(tmp_path), **keys, name: value}
    ended = subprocess.run(
        [sys.executable, "-c", "import console.settings"],
        cwd=settings_of_the_product.BASE_DIR,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured")
    assert name in last
    assert sentence in last


def test_every_setting_is_in_the_table_of_the_operators_guide():
    root = Path(settings_of_the_product.BASE_DIR)
    table = set(re.findall(r"^\| `([A-Z_]+)`", (root / "docs/operating.md").read_text(), re.MULTILINE))
    read = {
        name
        for app in ("console", "customers", "devices", "claims")
        for path in (root / app).rglob("*.py")
        for name in re.findall(r'environment\.\w+\(\s*"([A-Z_]+)"', path.read_text())
    }
    assert {"PORT", "DATABASE_URL", "CUSTODY_DATA"} < read
    assert read == table
