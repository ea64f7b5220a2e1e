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
    # Nothing of it outlives a power cut; the workers that tests kill lose nothing that the system has.
    _options = DATABASES["default"]["OPTIONS"]  # noqa: F405
    _fast = _options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
    DATABASES["default"]["OPTIONS"] = {**_options, "init_command": _fast}  # noqa: F405
    SILENCED_SYSTEM_CHECKS = ["custody.E003"]
