"""What visitors came for before they had to sign in. The app that knows such errands fills these slots."""

from typing import Any

from console.requests import Request
from console.slots import One

# Returns the address that continues the visitor's errand after signing in; empty without an errand.
pending_url: One[[Request], str] = One("console.people.errands.pending_url")
# `take` returns the errand, or None without one; `put` stores it in another browser's session.
take: One[[Request], dict[str, Any] | None] = One("console.people.errands.take")
put: One[[Request, dict[str, Any] | None], None] = One("console.people.errands.put")
# Returns what to count new accounts by, besides the visitor's address; None if the errand is not valid.
counted_by: One[[Request], str | None] = One("console.people.errands.counted_by")
# Restores the errand of a form whose session has expired. Returns the template and context of the page that says so.
expired: One[[Request], tuple[str, dict[str, Any]]] = One("console.people.errands.expired")
