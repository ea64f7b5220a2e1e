"""The settings of the tests: those of the product, on a database of their own."""

import os
import tempfile
from pathlib import Path

_data = Path(os.environ.setdefault("CUSTODY_DATA", tempfile.mkdtemp(prefix="custody-tests-")))
(_data / "static").mkdir(parents=True, exist_ok=True)
os.environ.setdefault("CUSTODY_SECRET_KEY", "a key for tests only, of no worth to anybody at all")
os.environ.setdefault("CUSTODY_CLAIM_KEYS", "t1:" + "11" * 32 + ",t0:" + "22" * 32)
os.environ["CUSTODY_BASE_URL"] = "http://localhost:8000"

from console.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]  # noqa: F405
ACCOUNT_RATE_LIMITS = False
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, not memory: races and the browser need several processes at one database.
    DATABASES["default"]["TEST"] = {"NAME": str(_data / "test.sqlite3")}  # noqa: F405
