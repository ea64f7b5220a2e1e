"""What the checks of the ledger say after a test, at little cost: a check that reads the same again says the same.

Building the statements of all checks takes longer than most tests. So what a check read when it found nothing is kept,
and the next time its statements are sent as they were. Only when an answer is another one, the check itself is asked.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import connection

from console import ledger_check, slots

# The table without whose rows a check has nothing to find: all else that it reads refers to it.
ROOTS = {
    "customers.projects.ledger_check.check": "customers_projectmember",
    "customers.directory.word_check.check": "customers_customer",
    "devices.word_check.check": "devices_product",
    "devices.ledger_check.check": "devices_device",
    "claims.redemption.ledger_check.check": "claims_claimprofile",
    "claims.returns.ledger_check.check": "claims_return",
    "claims.shipments.ledger_check.check": "claims_shipment",
    "devices.messages.ledger_check.check": "devices_message",
}
# More rows than these are not worth keeping.
MOST_ROWS = 100

Check = Callable[[], Iterable[str]]
Statement = tuple[str, Any]
Answer = tuple[tuple, ...]
# By check: after which answers it sends which statement, and None where it has read all.
_known: dict[tuple, dict[tuple[Answer, ...], Statement | None]] = {}


def problems() -> list[str]:
    """Return every difference between the ledger and its copies, as sentences."""
    return [problem for check in _with_rows() if not _reads_the_same(check) for problem in _ask(check)]


def _with_rows() -> list[Check]:
    """The checks that could find something, by one statement."""
    checks = list(ledger_check.checks)
    exist = ", ".join(f"EXISTS (SELECT 1 FROM {ROOTS[slots.path(check)]})" for check in checks)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {exist}")
        return [check for check, has_rows in zip(checks, cursor.fetchone(), strict=True) if has_rows]


def _known_of(check: Check) -> dict[tuple[Answer, ...], Statement | None]:
    # What a code is derived from is not read from the database.
    return _known.setdefault((slots.path(check), connection.vendor, repr(settings.CLAIM_KEYS)), {})


def _reads_the_same(check: Check) -> bool:
    """Whether the check reads what it has read before, when it found nothing."""
    known, answers = _known_of(check), ()
    while answers in known:
        statement = known[answers]
        if statement is None:
            return True
        answers = (*answers, _answer(statement))
    return False


def _ask(check: Check) -> list[str]:
    """Return what the check says; if nothing, keep what it read."""
    statements: list[Statement] = []

    def note(execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        found = list(check())
    if not found:
        _keep(check, statements)
    return found


def _keep(check: Check, statements: list[Statement]) -> None:
    answers: list[Answer] = [_answer(statement) for statement in statements]
    # On PostgreSQL no id comes a second time, so only what is empty is read again.
    most = 0 if connection.vendor == "postgresql" else MOST_ROWS
    if all(len(answer) <= most for answer in answers):
        known = _known_of(check)
        for number, statement in enumerate([*statements, None]):
            known[tuple(answers[:number])] = statement


def _answer(statement: Statement) -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return tuple(
            tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
            for row in cursor.fetchall()
        )
