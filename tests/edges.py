"""What an edge may not do: begin with rows that `visible_to` did not choose, and write. Read from the source.

Hands write: models, actions, the ledger and its `spans`, importers' `writing`, migrations, and the demo. Engines of the
foundation serve every organization at once and are named one by one. Commands and checks are started by the operator,
so they may read everything, but they write nothing. Every other module is an edge, whatever it is called.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HANDS = {"models", "actions", "ledger", "spans", "writing", "events", "migrations", "demo", "demo_messages"}
# Run by whoever runs the server, without an actor; `apps` only wires. They read everything and write nothing.
OPERATORS = {"commands", "simulator", "ledger_check", "word_check", "apps"}
ENGINES = {
    # The work in the background is everybody's, and the worker has no actor.
    "console/liveness.py",
    "console/operations/beginning.py",
    "console/operations/outcome.py",
    "console/operations/running.py",
    "console/tasks.py",
    "console/turns.py",
    "console/upkeep.py",
    "console/worker.py",
    "console/webhooks/delivery.py",
    "console/webhooks/fanout.py",
    "console/webhooks/kept.py",
    "console/webhooks/lanes.py",
    "console/webhooks/cleanup.py",
    # Outbox, counters, answers for a repeat, the log itself: written by a mechanism that every action or view uses.
    "console/audit/log.py",
    "console/mail.py",
    "console/once.py",
    "console/rest/idempotency.py",
    "console/throttle.py",
    "console/words.py",
    # An uploaded file from its arrival to its application, under the version that the person read.
    "console/imports/checking.py",
    "console/imports/lifecycle.py",
    "console/imports/staging.py",
    "console/imports/uploads.py",
    # Tools that models and actions are made with: the caller says whose rows.
    "console/clock.py",
    "console/constraints.py",
    "console/edits.py",
    "console/feed.py",
    "console/sql.py",
    "console/tenancy.py",
}

MANAGERS = {"objects", "_default_manager", "_base_manager", "default_manager", "base_manager"}
# The other three are parts of `visible_to` that models offer by themselves: they choose by the actor and fail closed.
SCOPED = {"visible_to", "none", "operated_by", "reached_by", "under_owner"}
READS = {
    *("aggregate", "all", "annotate", "count", "dates", "datetimes", "defer", "difference", "distinct", "earliest"),
    *("exclude", "exists", "explain", "extra", "filter", "first", "get", "in_bulk", "intersection", "iterator"),
    *("last", "latest", "only", "order_by", "prefetch_related", "reverse", "select_for_update", "select_related"),
    *("union", "using", "values", "values_list"),
}
WRITES = {
    *("bulk_create", "bulk_update", "create", "delete", "get_or_create"),
    *("purge", "save", "update", "update_or_create"),
}
LINKS = {"add", "clear", "remove", "set"}
SHORTCUTS = {"get_list_or_404", "get_object_or_404"}
RAW = {"callproc", "execute", "executemany", "raw"}
# What is written to is a picture or a PDF.
FILES = {"book", "picture"}


class Fault(NamedTuple):
    line: int
    what: str


def is_hand(path: str) -> bool:
    """Return whether the module at this path may write."""
    return bool(_words(path) & HANDS) or path in ENGINES


def is_edge(path: str) -> bool:
    """Return whether the module at this path gets rows only through `visible_to`, and writes nothing."""
    return not is_hand(path) and not _words(path) & OPERATORS


def _words(path: str) -> set[str]:
    return set(Path(path).with_suffix("").parts)


def faults(source: str, accessors: frozenset[str] = frozenset(), *, may_read: bool = False) -> list[Fault]:
    """Return what the source of an edge may not do; `accessors` are the related managers of rows with an organization.

    `# unscoped: reason` on the line, or alone on the line above, excuses a read and never a write.
    """
    lines = source.splitlines()
    found = []
    for node, what, is_read in _starts_and_writes(ast.parse(source), accessors):
        line = node.func.end_lineno if isinstance(node, ast.Call) else node.lineno
        above = lines[line - 2].strip() if line > 1 else ""
        reason = lines[line - 1] + (above if above.startswith("#") else "")
        if not is_read or not (may_read or re.search(r"# unscoped: \w", reason)):
            found.append(Fault(line, what))
    return sorted(set(found))


def _starts_and_writes(tree: ast.Module, accessors: frozenset[str]) -> Iterator[tuple[ast.expr, str, bool]]:
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    modules = _modules(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            after = parents[node].attr if isinstance(parents[node], ast.Attribute) else ""
            if node.attr in MANAGERS and after not in SCOPED:
                yield node, f"begins with {ast.unparse(node)}", True
            if node.attr in accessors and _is_query(parents, node, READS):
                yield node, f"reads all of {ast.unparse(node)}", True
            if node.attr in accessors and _is_query(parents, node, LINKS):
                yield node, f"writes {ast.unparse(node)}", False
        elif isinstance(node, ast.Constant) and node.value in MANAGERS:
            yield node, f"reaches for {node.value} by its name", True
        elif isinstance(node, ast.Call):
            yield from _call(node, modules)


def _call(node: ast.Call, modules: set[str]) -> Iterator[tuple[ast.expr, str, bool]]:
    verb = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    verb = verb[1:] if verb[1:] in WRITES | SHORTCUTS and verb.startswith("a") else verb
    if verb in SHORTCUTS and re.fullmatch(r"(\w+\.)*[A-Z]\w*", ast.unparse(node.args[0])):
        yield node, f"gets any {ast.unparse(node.args[0])}", True
    if not isinstance(node.func, ast.Attribute):
        return
    owner = ast.unparse(node.func.value)
    # `products.create(…)` is an action's; `dict.update({…})` and `cache.delete(key)` are told by what they are given.
    is_of_rows = owner not in modules and not owner.startswith("super()") and owner not in FILES
    if verb in WRITES and is_of_rows and not (verb in {"delete", "update"} and node.args):
        yield node, f"writes: {verb}", False
    if verb in RAW or (verb == "copy" and node.args):
        writes = re.search(r"\b(INSERT INTO|UPDATE|DELETE FROM)\b", ast.unparse(node))
        yield node, f"speaks SQL: {verb}", not writes


def _is_query(parents: dict[ast.AST, ast.AST], node: ast.Attribute, verbs: set[str]) -> bool:
    """Whether this is `row.accessor.verb(…)`; a dictionary's `get` is given a key, a manager's a condition."""
    after = parents[node]
    call = parents[after]
    if not (isinstance(after, ast.Attribute) and isinstance(call, ast.Call) and call.func is after):
        return False
    return after.attr in verbs and not (after.attr == "get" and call.args)


def _modules(tree: ast.Module) -> set[str]:
    """Names that are imported and, as they are written, modules or functions and not classes."""
    names = [a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names]
    return {name.split(".")[0] for name in names if not name[:1].isupper()}
