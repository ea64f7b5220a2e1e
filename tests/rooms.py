"""The rooms of each app in their order, and what imports what: read from the source, also inside functions."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ["claims", "devices", "customers", "console"]

# From the bottom up: a room imports itself, what lies loose in its app, and the rooms before it.
ROOMS = {
    "claims": ["paper", "profiles", "redemption", "scanning", "shipments", "returns", "labels", "portal", "demo"],
    "devices": ["messages", "calls", "device_api", "manifest", "edited_exports", "simulator"],
    # A customer comes with a project; its people may hold keys, which end with them.
    "customers": ["projects", "directory", "keys", "people", "imports"],
    # The log, tables and the server lie below: everything else in the foundation uses them.
    "console": ["people", "webhooks", "imports"],
}
# These stand above all rooms of their app and put them together. What lies loose beside them stands below all rooms.
ABOVE = {
    "claims": ["apps", "urls", "api", "navigation", "templatetags", "management"],
    "devices": [
        "apps",
        "urls",
        "api.urls",
        "api.exports",
        "exports",
        "views",
        "navigation",
        "demo_messages",
        "management",
    ],
    "customers": ["apps", "urls", "api", "navigation"],
    # The workers call what every room leaves to them.
    "console": ["apps", "urls", "rest.urls", "settings", "views", "management", "tasks", "upkeep", "worker"],
}
Graph = dict[str, set[str]]


def modules() -> dict[str, Path]:
    """Return every module of the apps by its dotted name, without migrations."""
    paths = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]
    return {dotted(path): path for path in paths}


def dotted(path: Path) -> str:
    """Return the dotted name of the module at a path."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def graph() -> Graph:
    """Return what each module of the apps imports of them: packages for what their `__init__` holds."""
    known = modules()
    return {name: set(imports(path.read_text(), name, known)) - {name} for name, path in known.items()}


def imports(source: str, name: str, known: Iterable[str]) -> Iterator[str]:
    """Return the known modules that this source imports, wherever in it: in functions and for the type checker too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports by a relative name"
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                if found := below if below in known else node.module if node.module in known else None:
                    yield found


def room_of(module: str, rooms: list[str], above: list[str]) -> int:
    """Return the height of a module of an app: 0 below its rooms, then their place, and one more above them."""
    within = module.split(".", 1)[-1] if "." in module else ""
    if any(within == name or within.startswith(f"{name}.") for name in above):
        return len(rooms) + 1
    room = within.split(".")[0]
    return rooms.index(room) + 1 if room in rooms else 0


def upward(edges: Graph, app: str, rooms: list[str], above: list[str]) -> list[str]:
    """Return the imports of an app that lead to a higher room."""
    return [
        f"{name} imports {other}"
        for name in sorted(edges)
        if name.split(".")[0] == app
        for other in sorted(edges[name])
        if other.split(".")[0] == app and room_of(other, rooms, above) > room_of(name, rooms, above)
    ]


def circles(edges: Graph) -> list[list[str]]:
    """Return the sets of modules that import each other in a circle."""
    # What imports nothing that is left, or is imported by nothing that is left, lies in no circle.
    left = {name: set(others) for name, others in edges.items()}
    while True:
        imported = set().union(*left.values()) if left else set()
        loose = {name for name, others in left.items() if not others & left.keys() or name not in imported}
        if not loose:
            break
        left = {name: others - loose for name, others in left.items() if name not in loose}
    found: list[list[str]] = []
    for name in sorted(left):
        if not any(name in circle for circle in found):
            circle = sorted(other for other in reached(left, name) if name in reached(left, other))
            found += [circle] if circle else []
    return found


def reached(edges: Graph, start: str) -> set[str]:
    """Return all that a module imports, directly or not."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = edges.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting += fresh
    return seen
