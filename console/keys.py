"""The two secrets of a server: Django's secret key, and the keys from which claim codes are derived.

They are separate, so that changing the secret key does not invalidate every printed label. An operator sets them in the
environment; the embedded default creates them once and stores them beside the database, readable by its owner only.
"""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SECRET_FILE, CLAIM_FILE, SETUP_FILE, MAILBOX_FILE = "secret_key", "claim_keys", "setup_code", "mailbox_key"
MISSING = "No {what} is set. Set {name}, or start with script/server, which creates one."


def folder(data: Path) -> Path:
    """Return the folder of the key files, which is created with mode 700 if it is missing."""
    path = data / "keys"
    # The folder itself too: nobody else may read the database in it.
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def make(data: Path) -> None:
    """Create the key files that are missing. Existing ones are never changed."""
    _write_new(folder(data) / SECRET_FILE, secrets.token_urlsafe(50))
    _write_new(folder(data) / CLAIM_FILE, f"k1:{secrets.token_hex(32)}")
    _write_new(folder(data) / SETUP_FILE, secrets.token_urlsafe(18))
    _write_new(folder(data) / MAILBOX_FILE, secrets.token_urlsafe(18))


def read(data: Path, name: str) -> str:
    """Return the content of the key file `name`, or an empty string."""
    try:
        return (data / "keys" / name).read_text().strip()
    except FileNotFoundError:
        return ""


def read_secret(data: Path) -> str:
    """Return Django's secret key from its file. Raises ImproperlyConfigured if there is none."""
    value = read(data, SECRET_FILE)
    if not value:
        raise ImproperlyConfigured(MISSING.format(what="secret key", name="CUSTODY_SECRET_KEY"))
    return value


def read_claim_keys(data: Path) -> str:
    """Return the claim keys from their file. Raises ImproperlyConfigured if there are none."""
    value = read(data, CLAIM_FILE)
    if not value:
        raise ImproperlyConfigured(MISSING.format(what="claim key", name="CUSTODY_CLAIM_KEYS"))
    return value


def parse_claim_keys(text: str) -> dict[str, bytes]:
    """Return `id:hex` pairs, separated by commas, as {id: key} in their order.

    Raises ImproperlyConfigured if a pair is malformed or a key is shorter than 32 bytes.
    """
    found: dict[str, bytes] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, digits = pair.partition(":")
        try:
            key = bytes.fromhex(digits)
        except ValueError:
            key = b""
        if not name or len(name) > 16 or len(key) < 32 or name in found:
            raise ImproperlyConfigured(
                "CUSTODY_CLAIM_KEYS holds id:hex pairs, separated by commas, each id once, each key 32 bytes or more."
            )
        found[name] = key
    if not found:
        raise ImproperlyConfigured(MISSING.format(what="claim key", name="CUSTODY_CLAIM_KEYS"))
    return found


def _write_new(path: Path, value: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(value + "\n")


if __name__ == "__main__":
    from console import environment

    try:
        make(Path(environment.text("CUSTODY_DATA", str(Path(__file__).resolve().parent.parent / "var"))))
    except OSError as error:
        raise SystemExit(f"The keys can't be written: {error}. Check CUSTODY_DATA.") from None
