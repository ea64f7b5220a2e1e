"""No module of the foundation imports itself by way of others, not even within a function."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "console").rglob("*.py")
    if "migrations" not in path.parts
}
# What Django or an optional package forces. Each says why in a comment.
INSIDE = {
    ("console.sql", "psycopg"),
}


def imports(source: str) -> Iterator[tuple[str, bool]]:
    """Yield what a module imports when it runs, and whether it does so in a function. Type-only imports don't run."""
    tree = ast.parse(source)
    types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    inner = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in types:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in inner) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                (full if (full := f"{node.module}.{alias.name}") in MODULES else node.module, id(node) in inner)
                for alias in node.names
            )


def circle(sources: dict[str, str]) -> list[str]:
    """Return the modules of a circle, empty where there is none."""
    graph = {
        name: {used for used, _ in imports(source) if used in sources and used != name}
        for name, source in sources.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_the_modules_of_the_foundation_form_no_circle():
    assert circle({name: path.read_text() for name, path in MODULES.items()}) == []


@pytest.mark.parametrize(
    "source",
    ["from console.tasks import nudge_webhooks", "def nudge():\n    from console import tasks"],
)
def test_a_circle_is_found_though_a_function_hides_it(source):
    """The negative control: as it was."""
    sources = {name: path.read_text() for name, path in MODULES.items()}
    sources["console.webhooks.delivery"] += f"\n{source}\n"
    assert {"console.webhooks.delivery", "console.tasks"} <= set(circle(sources))


def test_no_import_hides_in_a_function_but_what_is_forced_from_outside():
    hidden = {
        (name, used)
        for name, path in MODULES.items()
        if name != "console.apps"
        for used, is_inside in imports(path.read_text())
        if is_inside
    }
    assert hidden == INSIDE
