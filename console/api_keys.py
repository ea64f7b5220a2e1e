"""API keys, as far as the foundation asks about them. The app that keeps the keys fills these slots."""

from typing import Any

from console.access import Actor
from console.slots import One

# Who acts with a key of this text, and the key; None if it opens nothing.
find: One[[str], tuple[Actor, Any] | None] = One("console.api_keys.find")
# Whether the key with this id still opens anything: what it started continues only as long.
is_usable: One[[int], bool] = One("console.api_keys.is_usable")
# Keep the key with this id from being revoked until this transaction ends, and return whether it is usable.
hold: One[[int], bool] = One("console.api_keys.hold")
