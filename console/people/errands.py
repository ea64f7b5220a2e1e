"""What visitors came for before they had to sign in. The app that knows such errands fills these slots."""

from typing import Any

from console.requests import Request
from console.slots import One

# The address that continues the visitor's errand after the sign-in; empty without an errand.
pending_url: One[[Request], str] = One("console.people.errands.pending_url")
# The errand, for `put` in another browser's session; None without one.
take: One[[Request], dict[str, Any] | None] = One("console.people.errands.take")
put: One[[Request, dict[str, Any] | None], None] = One("console.people.errands.put")
# What to count new accounts by, besides the visitor's address; None where the errand is worth nothing.
counted_by: One[[Request], str | None] = One("console.people.errands.counted_by")
# Restores the errand of a form whose session is gone. Returns the template and the context of the page that says so.
expired: One[[Request], tuple[str, dict[str, Any]]] = One("console.people.errands.expired")
