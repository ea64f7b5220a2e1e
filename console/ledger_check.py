"""Compares data that is stored twice with the ledger. Each app adds the comparisons of its own tables."""

from collections.abc import Iterable

from console.slots import Slot

# Each function returns a sentence for each difference that it finds.
checks: Slot[[], Iterable[str]] = Slot("console.ledger_check.checks")


def problems() -> list[str]:
    """Return every difference between the ledger and its copies, as sentences."""
    return [str(problem) for found in checks.call() for problem in found]
