"""What the foundation asks about API keys. The app that stores the keys fills these slots."""

from typing import Any

from console.access import Actor
from console.slots import One

# Returns the actor and the key for the text of a key, or None if the key is not usable.
find: One[[str], tuple[Actor, Any] | None] = One("console.api_keys.find")
# Whether the key with this id is still usable. Work that was started with it continues only while it is.
is_usable: One[[int], bool] = One("console.api_keys.is_usable")
# Locks the key with this id against revocation until this transaction ends, and returns whether it is usable.
hold: One[[int], bool] = One("console.api_keys.hold")
