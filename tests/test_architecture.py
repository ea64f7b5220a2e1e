"""The rules of the architecture, held by reading the code: one direction, writes in actions, views with a policy."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from django import forms
from django.apps import apps

from console.access import Actor
from console.forms import closed_field
from console.tenancy import TenantModel
from customers.people.roles import actor_for
from customers.projects.actions import projects
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.models import Device, Ownership, SharedAccess
from tests import edges, factories, rooms

ROOT = Path(__file__).resolve().parent.parent
APPS = ["claims", "devices", "customers", "console"]
LEDGER_FIELDS = {"customer", "customer_id", "status"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def sources(*apps: str) -> list[Path]:
    return [
        path
        for app in apps or APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts and "__pycache__" not in path.parts
    ]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def is_of_views(path: Path) -> bool:
    return "views" in path.relative_to(ROOT).parts or path.stem == "views" or path.stem.endswith("_views")


def is_of_actions(path: Path) -> bool:
    return "actions" in path.parts or path.stem == "actions"


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", sources(), ids=name)
def test_an_app_imports_itself_and_what_stands_to_its_right(path):
    app = path.relative_to(ROOT).parts[0]
    allowed = set(APPS[APPS.index(app) :])
    used = {module.split(".")[0] for module in imported(path)} & set(APPS)
    assert used <= allowed


@pytest.mark.parametrize("app", rooms.ROOMS)
def test_a_room_imports_lower_rooms_only(app):
    assert rooms.upward(rooms.graph(), app, rooms.ROOMS[app], rooms.ABOVE[app]) == []


@pytest.mark.parametrize("app", rooms.ROOMS)
def test_every_room_named_exists(app):
    named = [*rooms.ROOMS[app], *rooms.ABOVE[app]]
    assert [
        each
        for each in named
        if not any((ROOT / app / each.replace(".", "/")).with_suffix(end).exists() for end in ("", ".py"))
    ] == []


def test_no_modules_import_each_other_in_a_circle():
    assert rooms.circles(rooms.graph()) == []


def test_the_portal_imports_no_view_of_the_staff():
    known = rooms.modules()
    staff = {module for module, path in known.items() if "@requires(" in path.read_text()}
    assert "claims.returns.views" in staff
    for module in known:
        if module.startswith(("claims.portal", "claims.redemption")) and not module.endswith(("api", "urls")):
            assert rooms.graph()[module] & staff == set(), module


def test_the_order_of_rooms_is_read_from_every_import():
    source = "def late():\n    from a.high import b\nif TYPE_CHECKING:\n    import a.high.c\nfrom a.low import thing\n"
    known = ["a.low", "a.high", "a.high.b", "a.high.c", "a.loose"]
    edges_ = {"a.low": set(rooms.imports(source, "a.low", known)), "a.loose": {"a.low"}, "a.high.b": {"a.loose"}}
    assert rooms.upward(edges_, "a", ["low", "high"], []) == [
        "a.loose imports a.low",
        "a.low imports a.high.b",
        "a.low imports a.high.c",
    ]
    assert rooms.circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == [["a", "b", "c"]]
    assert rooms.circles({"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"a"}}) == []


@pytest.mark.parametrize("path", [p for p in sources() if is_of_views(p)], ids=name)
def test_views_are_short_functions_with_a_policy(path):
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef):
            pytest.fail(f"{node.name} is a class; a view is a function")
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            arguments = [argument.arg for argument in node.args.args]
            if arguments[:1] != ["request"]:
                continue
            marks = {ast.unparse(d).split("(")[0] for d in node.decorator_list}
            # What Django shows in place of a page has no address of its own; a test of the routes holds that.
            ours = {"handler"} if path.name == "errors.py" else {"requires", "public", "portal", "signed_in", "device"}
            assert marks & ours, f"{node.name} says not who may open it"
            body = [statement for statement in node.body if not _is_docstring(statement)]
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 25, f"{node.name} has {lines} lines"


# How pages, files and refusals are answered, for the views of all rooms; nothing here decides what a request does.
FRAMES = {
    "console/bulk.py",
    "console/downloads.py",
    "console/editing.py",
    "console/errors.py",
    "console/export.py",
    "console/forms.py",
    "console/imports/pages.py",
    "console/imports/refused.py",
    "console/listing.py",
    "console/middleware.py",
    "console/once.py",
    "console/people/adapters.py",
    "console/places.py",
    "console/policies.py",
    "console/undo.py",
    "devices/device_api/authentication.py",
}
ANSWER = re.compile(r"\b(Http|Streaming|File|Json|Template)\w*Response\w*|\bResponse\b")
ANSWERING = re.compile(
    r"((shortcuts|http)\.)?(render|redirect|(Http|Streaming|File|Json)\w*Response\w*)"
    r"|((downloads|export|forms|listing|errors|refused|undo)\.)?(answer|stream|press|render_list)"
)


def may_answer(path: Path) -> bool:
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_of_api = "api" in parts or "rest" in parts or path.stem.startswith("api")
    return is_of_views(path) or is_of_api or name(path) in FRAMES


def answers(module: ast.Module) -> list[str]:
    """The functions that say or do that they answer a request."""
    return [
        function.name
        for function in ast.walk(module)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if (function.returns is not None and ANSWER.search(ast.unparse(function.returns)))
        or any(
            isinstance(node, ast.Call) and ANSWERING.fullmatch(ast.unparse(node.func)) for node in ast.walk(function)
        )
    ]


@pytest.mark.parametrize("path", [p for p in sources() if not may_answer(p)], ids=name)
def test_only_views_and_apis_answer_requests(path):
    """Anything else that did would be a view without a policy mark."""
    assert answers(tree(path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "def received(request, operation) -> HttpResponse: ...",
        "def download(sheet) -> FileResponse: ...",
        "def show(request) -> 'HttpResponseBase | None': ...",
        "def assign(request, chosen):\n    return redirect(chosen)",
        "def over(request):\n    return http.HttpResponse(status=204)",
        "def as_pdf(shipment):\n    return downloads.answer(File(draw(shipment), 'application/pdf', 'list.pdf'))",
        "def rows(request):\n    return stream(request, 'rows', [], [])",
        "class Page:\n    def answer(self):\n        return shortcuts.render(self.request, 'a.html')",
    ],
)
def test_a_helper_that_answers_a_request_is_found(source):
    assert len(answers(ast.parse(source))) == 1


def test_a_helper_that_describes_a_page_is_no_view():
    for source in (
        "def detail(request, device) -> dict[str, Any]:\n    return {'page': describe(device)}",
        "def _ask(self) -> http.client.HTTPResponse: ...",
    ):
        assert answers(ast.parse(source)) == []
    assert not may_answer(ROOT / "claims/returns/pages.py") and not may_answer(ROOT / "claims/returns/exports.py")
    assert may_answer(ROOT / "claims/returns/swap_views.py") and may_answer(ROOT / "claims/profiles/api_codes.py")


def test_every_frame_of_the_foundation_exists():
    assert [frame for frame in sorted(FRAMES) if not (ROOT / frame).exists()] == []


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


@cache
def accessors() -> frozenset[str]:
    """The related managers that lead to rows with an organization, by their names."""
    related = [r for model in apps.get_models() for r in model._meta.related_objects]
    tenants = {r.get_accessor_name() for r in related if issubclass(r.related_model, TenantModel)}
    return frozenset(tenants - {None})


@pytest.mark.parametrize("path", [p for p in sources() if not edges.is_hand(name(p))], ids=name)
def test_edges_get_rows_only_through_visible_to_and_write_nothing(path):
    assert edges.faults(path.read_text(), accessors(), may_read=not edges.is_edge(name(path))) == []


def test_an_edge_is_recognized_by_its_room_and_not_by_its_name():
    assert edges.is_edge("claims/returns/pages.py") and edges.is_edge("claims/return_pages.py")
    assert edges.is_edge("devices/api/shares.py") and edges.is_edge("devices/device_api/state.py")
    assert edges.is_edge("devices/webhooks.py") and edges.is_edge("console/rest/paging.py")
    assert not edges.is_edge("claims/returns/actions/returns.py") and not edges.is_edge("claims/labels/actions.py")
    assert not edges.is_edge("devices/ledger.py") and not edges.is_edge("devices/models/device.py")
    # A check and a command read everything and write nothing.
    assert not edges.is_hand("devices/ledger_check.py") and not edges.is_hand("customers/management/commands/x.py")


def test_every_engine_of_the_foundation_exists():
    assert [engine for engine in sorted(edges.ENGINES) if not (ROOT / engine).exists()] == []


UNSCOPED = {
    "all": "rows = Return.objects.all()",
    "filter": "rows = Return.objects.filter(pk=1)",
    "with an empty reason": "rows = Return.objects.all()  # unscoped:",
    "another manager": "rows = Return._base_manager.filter(pk=1)",
    "the manager of the meta": "rows = Return._meta.default_manager.get(pk=1)",
    "a manager under another name": "shares = Return.objects\nrows = shares.filter(pk=1)",
    "a manager handed on": "rows = chosen(Return.objects)",
    "a manager by its name": "rows = getattr(Return, 'objects').all()",
    "a class in a variable": "rows = [model.objects.first() for model in (Return, Claim)]",
    "a shortcut": "row = get_object_or_404(Return, pk=1)",
    "a related manager": "rows = device.ownership_spans.order_by('pk')",
    "a related row": "row = device.ownership_spans.get(pk=1)",
    "SQL": "cursor.execute('SELECT * FROM claims_return')",
    "SQL of a model": "rows = Return.objects.visible_to(actor).raw('SELECT 1')",
}
WRITING = {
    "an update": "Return.objects.visible_to(actor).update(note='x')  # unscoped: no reason excuses it",
    "an update of a variable": "rows = Return.objects.visible_to(actor)\nrows.filter(pk=1).update(note='x')",
    "a creation": "Return.objects.create(note='x')  # unscoped: no reason excuses it",
    "a save": "row.save(update_fields=['note'])",
    "a form's save": "form.save()",
    "a deletion": "row.delete()",
    "an asynchronous deletion": "await row.adelete()",
    "a purge": "rows.purge()",
    "a bulk": "model.objects.bulk_create(rows)  # unscoped: no reason excuses it",
    "a related creation": "device.ownership_spans.create(customer=customer)",
    "a related row": "device.ownership_spans.add(span)",
    "SQL": "cursor.execute(f'UPDATE {table} SET note = 1')  # unscoped: no reason excuses it",
}
# As `return_pages` stood when the guard did not see it.
TRIAL = """
def rows(actor):
    Return.objects.filter(archived_at=None).update(note="seen")
    return Return.objects.all()
"""
ALLOWED = {
    "visible rows": "rows = Return.objects.visible_to(actor).filter(pk=1)",
    "no rows": "rows = Return.objects.none()",
    "spans that reach the person": "rows = Ownership.objects.reached_by(actor).open()",
    "a shortcut with visible rows": "row = get_object_or_404(Return.objects.visible_to(actor), pk=1)",
    "visible rows of a row": "rows = device.returns.visible_to(actor)",
    "a reason on the line": "rows = Domain.objects.all()  # unscoped: host names are public",
    "a reason on the line above": "# unscoped: host names are public\nrows = Domain.objects.all()",
    "an action's verb": "from devices.actions import products\nproducts.create(name='x', by=actor)",
    "a dictionary": "found.update({'a': 1}); cache.delete(key); self.units.get(1)",
    "a picture": "picture.save(file, 'PNG')",
}


@pytest.mark.parametrize("source", [*UNSCOPED.values(), *WRITING.values()], ids=[*UNSCOPED, *WRITING])
def test_the_guard_of_the_edges_finds(source):
    assert edges.faults(source, frozenset({"ownership_spans", "returns"})) != []


@pytest.mark.parametrize("source", WRITING.values(), ids=WRITING)
def test_the_guard_finds_what_a_check_or_a_command_writes(source):
    assert edges.faults(source, frozenset({"ownership_spans"}), may_read=True) != []


def test_the_guard_finds_each_fault_of_the_trial():
    assert [(fault.line, fault.what.split()[0]) for fault in edges.faults(TRIAL)] == [
        (3, "begins"),
        (3, "writes:"),
        (4, "begins"),
    ]


@pytest.mark.parametrize("source", ALLOWED.values(), ids=ALLOWED)
def test_the_guard_of_the_edges_allows(source):
    assert edges.faults(source, frozenset({"ownership_spans", "returns", "units"})) == []


def _form_classes(form: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    for below in form.__subclasses__():
        yield below
        yield from _form_classes(below)


def test_a_form_offers_no_rows_before_it_knows_who_asks():
    """A model form makes a field of all rows from a foreign key that it names, and no line of the source says so."""
    for path in sources():
        if "ModelForm" in path.read_text():
            import_module(name(path.with_suffix("")).replace("/", "."))
    offered = [
        f"{form.__module__}.{form.__name__}.{field}"
        for form in _form_classes()
        if form.__module__.split(".")[0] in APPS
        for field, found in getattr(form, "base_fields", {}).items()
        if isinstance(found, forms.ModelChoiceField)
        if found.queryset is not None and not found.queryset.query.is_empty()
    ]
    assert offered == []


def test_a_model_form_without_the_guard_would_offer_all_rows():
    careless = forms.modelform_factory(apps.get_model("devices.Device"), fields=["product"])
    closed = forms.modelform_factory(
        apps.get_model("devices.Device"), fields=["product"], formfield_callback=closed_field
    )
    assert not careless.base_fields["product"].queryset.query.is_empty()
    assert closed.base_fields["product"].queryset.query.is_empty()


@pytest.mark.parametrize("method", sorted(edges.SCOPED - {"none"}))
def test_each_way_to_choose_rows_is_closed_to_actors_without_rights(device, customer, dana, erin, alice, method):
    by = factories.actor_of(alice)
    ownership.assign([device.pk], customer=customer, by=by)
    project = projects.default_of(customer)
    ledger.share([device.pk], Act(by), customer=customer, project=project, reason="claim")
    models = [model for model in (Device, Ownership, SharedAccess) if hasattr(model.objects, method)]

    def seen(actor: Actor) -> list:
        return [row for model in models for row in getattr(model.objects, method)(actor)]

    assert seen(Actor(kind="anonymous")) == seen(Actor(kind="customer")) == seen(actor_for(erin)) == []
    assert len(seen(actor_for(dana))) == len(models)


def test_devices_are_named_in_the_log_by_one_helper():
    users = [name(path) for path in sources() if re.search(r"label[\"']?[=:] ?[\"']serial_number", path.read_text())]
    assert users == ["devices/log.py"]


def test_only_the_ledger_uses_the_sql_of_spans():
    users = [
        name(path)
        for path in sources()
        if re.search(
            r"from devices\.spans import|import devices\.spans|from devices import .*\bspans\b", path.read_text()
        )
    ]
    assert users == ["devices/ledger.py"]


@pytest.mark.parametrize("path", sources(), ids=name)
def test_only_the_ledger_writes_owners_and_statuses(path):
    if name(path) in {"devices/ledger.py", "devices/spans.py"}:
        return
    source = path.read_text()
    assert not re.search(
        r"\b(Ownership|SharedAccess)(\.objects)?(\.\w+\(.*\))*\.?(create|bulk_create|update)\(", source
    )
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
            touched = {keyword.arg for keyword in node.keywords}
            if "Device.objects" in ast.unparse(node.func.value):
                assert not touched & LEDGER_FIELDS, f"line {node.lineno}"


# What takes the instant of a change of hands as `at`: the acts of the ledger, new or changed, and the actions above it.
DATED = r"(ownership\.(assign|unclaim)|Act|BegunAct)\(|replace\((self\.)?act\b"


@pytest.mark.parametrize("path", sources("devices", "claims"), ids=name)
def test_the_instant_of_a_change_of_hands_is_chosen_by_the_ledger(path):
    """Chosen before the lock and the announcement, it would lie before what readers can have seen by then."""
    assert _chosen_elsewhere(tree(path)) == []
    assert "act.begun(" not in path.read_text() or name(path) == "devices/ledger.py"


def test_an_instant_that_an_action_chooses_is_found():
    """The negative control."""
    source = "def late(ids, by):\n    now = clock.now()\n    ledger.release(ids, Act(by, at=now), reason='unclaim')"
    assert _chosen_elsewhere(ast.parse(source)) == [2]
    assert _chosen_elsewhere(ast.parse(source.replace("clock.now()", "span.ended_at"))) == []


def _chosen_elsewhere(module: ast.Module) -> list[int]:
    """Return the lines that compute an instant which an act is given, but not by `begin` or from the end of a span."""
    return [
        node.lineno
        for function in ast.walk(module)
        if isinstance(function, ast.FunctionDef) and (given := _instants(function))
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and given & {ast.unparse(target) for target in node.targets}
        if not re.search(r"(\bbegin\(|ended_at)", ast.unparse(node.value))
    ]


def _instants(function: ast.FunctionDef) -> set[str]:
    """What an act is given as `at`, for the ledger; nothing but names and attributes is."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and re.match(DATED, ast.unparse(node)):
            found |= {ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "at"}
    assert not [each for each in found if not re.fullmatch(r"[\w.]+", each)], function.name
    return found


@pytest.mark.parametrize("path", sources(), ids=name)
def test_nothing_hides_in_signals_or_marks_text_as_safe(path):
    source = path.read_text()
    assert "django.db.models.signals" not in source
    assert "mark_safe" not in source
    if not is_of_actions(path) and "models" not in path.parts:
        for node in ast.walk(tree(path)):
            is_save = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "save"
            if is_save and ast.unparse(node.func.value) not in {"book", "image", "form", "workbook", "picture"}:
                keywords = {keyword.arg for keyword in node.keywords}
                assert keywords or node.args, f"line {node.lineno}: a bare save()"


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=name)
def test_templates_hold_no_inline_script_style_or_unescaped_text(path):
    source = path.read_text()
    assert "|safe" not in source
    assert "autoescape off" not in source
    assert not re.search(r"\sstyle=", source)
    assert not re.search(r"\son[a-z]+=", source)
    assert not re.search(r"<style", source)
    for script in re.findall(r"<script\b[^>]*>", source):
        assert "src=" in script, script


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=name)
def test_every_icon_named_is_in_the_sprite(path):
    sprite = (ROOT / "static/img/icons.svg").read_text()
    for icon in re.findall(r"{% icon [\"']([a-z0-9-]+)[\"']", path.read_text()):
        assert f'id="{icon}"' in sprite, icon


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=name)
def test_every_htmx_element_also_works_without_javascript(path):
    for element in re.findall(r"<(?:a|button|form)\b[^>]*\bhx-(?:get|post)=[^>]*>", path.read_text()):
        if element.startswith("<button"):
            continue
        assert re.search(r"\s(href|action)=", element), element


DOMAIN = r"\b(claims|devices|customers)[.:_/]\w"


@pytest.mark.parametrize("path", sources("console"), ids=name)
def test_the_foundation_names_the_domain_nowhere(path):
    """Neither by import nor in a string: no model, table, function or route. The list of apps and of addresses must."""
    if name(path) == "console/urls.py":
        return
    assert not {module.split(".")[0] for module in imported(path)} & {"claims", "devices", "customers"}
    found = [text for text in _strings(tree(path)) if re.search(DOMAIN, text)]
    if name(path) == "console/settings.py":
        # Names for the API's document, which its library takes as strings only.
        found = [text for text in found if not text.endswith(".choices")]
    assert found == []


def test_a_name_of_the_domain_in_a_string_is_seen():
    """The negative control."""
    code = (
        '"""Not devices.models."""\nMODEL = "devices.Product"\nlink("claims:profile")\nask(f"FROM devices_device {x}")'
    )
    found = [text for text in _strings(ast.parse(code)) if re.search(DOMAIN, text)]
    assert found == ["devices.Product", "claims:profile", "FROM devices_device "]


def _strings(module: ast.Module) -> Iterator[str]:
    """Every string but the docstrings."""
    bodies = [node.body for node in ast.walk(module) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    docstrings = {id(body[0].value) for body in bodies if body and _is_docstring(body[0])}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=name)
def test_no_id_is_printed_as_a_number_for_people(path):
    """With thousands separated, 2000 becomes "2,000", and a form would send back 2."""
    for printed in re.findall(r"{{\s*[\w.]+(?:\.pk|\.id|_id|_pk)\s*}}", path.read_text()):
        if printed.endswith(("auto_id }}", "attrs.id }}")):
            continue
        pytest.fail(f"{printed} needs |stringformat:'d'")


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=name)
def test_templates_have_lines_that_one_can_read(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        assert len(line) <= 160, f"line {number} has {len(line)} characters"


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=name)
def test_tables_have_the_frame_of_the_component(path):
    assert "table-wrap" not in path.read_text(), "use {% table %}"


def test_the_formatter_is_off_only_around_the_table_of_roles():
    marks = re.compile(r"#\s*fmt:\s*(off|skip)")
    tree = [path for path in sorted(ROOT.rglob("*.py")) if not {".venv", "migrations"} & set(path.parts)]
    found = {name(path): len(marks.findall(path.read_text())) for path in tree if path != Path(__file__).resolve()}
    assert {where: count for where, count in found.items() if count} == {"console/access.py": 1}


MOST_LINES_OF_A_FUNCTION, MOST_LINES_OF_A_FILE = 40, 500


@pytest.mark.parametrize("path", sources(*APPS, "bench", "script"), ids=name)
def test_functions_and_files_are_short_enough_to_be_read(path):
    """The formatter has the last word on what a line is, and nothing is excepted."""
    assert _long_functions(tree(path)) == []
    assert len(path.read_text().splitlines()) <= MOST_LINES_OF_A_FILE


def _long_functions(module: ast.Module) -> list[tuple[str, int]]:
    """Return the functions and methods that are too long, with their lines from `def` to the last statement."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = [(node.name, (node.end_lineno or 0) - node.lineno + 1) for node in functions]
    return [(function, lines) for function, lines in lengths if lines > MOST_LINES_OF_A_FUNCTION]


def test_a_function_that_is_too_long_is_found():
    """The negative control: the signature and a docstring count, decorators do not."""
    fits = "@mark\nasync def fits(\n    a,\n):\n" + "    a\n" * 37
    method = 'class A:\n    def long(self):\n        """Docstring."""\n' + "        self\n" * 39
    assert _long_functions(ast.parse(fits + method)) == [("long", 41)]


def test_each_error_of_the_checks_has_a_number_of_its_own():
    found: dict[str, set[str]] = {}
    for path in sources():
        for number in re.findall(r"custody\.[EW]\d+", path.read_text()):
            found.setdefault(number, set()).add(name(path))
    assert {number: where for number, where in found.items() if len(where) > 1} == {}


@pytest.mark.parametrize("app", rooms.ROOMS)
def test_the_picture_of_the_rooms_names_each_of_them(app):
    picture = (ROOT / "docs/architecture.md").read_text()
    for room in rooms.ROOMS[app]:
        assert re.search(rf"\b{room}\b", picture), room
        assert f"`{app}/{room}`" in picture, room
