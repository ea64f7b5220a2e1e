"""The secrets of webhooks, and the signatures created with them, according to Standard Webhooks.

A secret is never stored: it is derived from the webhook's seed and a server key, so a copy of the database can't sign
anything. The seed names the key.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

from django.conf import settings
from standardwebhooks import Webhook as Signer

from console.models import Webhook


def new_seed() -> str:
    """Return a new seed, from which a secret is derived."""
    return f"{next(iter(settings.CLAIM_KEYS))}:{secrets.token_hex(16)}"


def secret_of(seed: str) -> str:
    """Return the secret (`whsec_…`) of a seed. Raises LookupError if its server key is no longer configured."""
    key = settings.CLAIM_KEYS[seed.partition(":")[0]]
    digest = hmac.new(key, f"custody webhook secret:{seed}".encode(), hashlib.sha256).digest()
    return "whsec_" + base64.b64encode(digest).decode()


def secrets_of(webhook: Webhook, *, at: datetime) -> list[str]:
    """Return the secrets that sign at this moment: the newest, and for a day after a rotation the previous one."""
    seeds = [webhook.seed]
    if webhook.old_seed and webhook.old_seed_until and at < webhook.old_seed_until:
        seeds.append(webhook.old_seed)
    return [secret_of(seed) for seed in seeds]


def headers(signing: list[str], message_id: str, payload: str, *, at: datetime) -> dict[str, str]:
    """Return the headers of one attempt at the moment `at`, signed with each of the secrets."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Custody-Webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(message_id, at, payload) for secret in signing),
    }
