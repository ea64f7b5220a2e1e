"""What `manage.py check` says about slots, and that a mistake in one is found before anybody opens a page."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command

from console import ledger_check, slot_checks, slots
from console.slots import One, Slot
from tests.test_architecture import ROOT, sources, tree


def found(check) -> list[tuple[str, str]]:
    return [(message.id, message.msg) for message in check()]


@pytest.fixture
def declared(monkeypatch):
    """Slots that a test declares are forgotten after it."""
    known = dict(slots.DECLARED)
    monkeypatch.setattr(slots, "DECLARED", known)
    return known


def test_every_slot_is_filled_and_is_where_its_name_says():
    assert found(slot_checks.slots_are_filled) == []
    assert found(slot_checks.slots_are_where_their_names_say) == []
    assert found(slot_checks.panels_have_slots) == []


def test_an_empty_slot_that_must_be_filled_is_refused(declared):
    One("tests.hole")
    Slot("tests.nobody_takes_part")
    assert found(slot_checks.slots_are_filled) == [("custody.E030", "The slot tests.hole is empty.")]
    assert "custody.E030" in {message.id for message in run_checks()}


def test_a_slot_that_an_app_forgets_to_fill_is_refused(monkeypatch):
    monkeypatch.setattr(slots.DECLARED["devices.link_slots.leave"], "entries", [])
    assert found(slot_checks.slots_are_filled) == [("custody.E030", "The slot devices.link_slots.leave is empty.")]


def test_a_slot_with_the_name_of_another_place_is_refused(declared):
    Slot("console.ledger_check.cheques").add(ledger_check.problems)
    expected = [("custody.E031", "There is no slot at console.ledger_check.cheques.")]
    assert found(slot_checks.slots_are_where_their_names_say) == expected


def test_a_template_that_shows_panels_of_no_slot_is_refused(settings, tmp_path):
    (tmp_path / "page.html").write_text('{% panels "devices.panels.on_devcie" device %}')
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    expected = [("custody.E032", "page.html shows the panels of devices.panels.on_devcie, which is not a slot.")]
    assert found(slot_checks.panels_have_slots) == expected


def test_check_lists_the_functions_in_each_slot(capsys):
    call_command("check")
    assert "devices.ledger.followers" not in capsys.readouterr().out
    call_command("check", verbosity=2)
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("devices.ledger.followers")
    assert lines[start + 1 : start + 5] == [
        "    claims.profiles.actions.codes.follow_ledger",
        "    claims.returns.actions.returns.follow_ledger",
        "    devices.messages.actions.follow_ledger",
        "    devices.calls.actions.follow_ledger",
    ]


def test_the_checks_know_every_slot_in_the_sources():
    """One in a module that nothing imports by then would be checked by nobody."""
    known = slot_checks.declared()
    for path in sources():
        if "console.slots" not in path.read_text():
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name in _slots_in(path):
            assert f"{module}.{name}" in known


def _slots_in(path: Path) -> list[str]:
    constructors = {"Slot", "One", "Slot.declare", "One.declare"}
    assigned = [
        node.target.id
        for node in tree(path).body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) in constructors
    ]
    functions = [node for node in tree(path).body if isinstance(node, ast.FunctionDef)]
    decorated = [f.name for f in functions if constructors & {ast.unparse(mark) for mark in f.decorator_list}]
    return assigned + decorated


def test_a_misspelt_follower_is_found_by_manage_py_check(tmp_path):
    """It was a setting, and found by nothing but the first assignment, with a 500. `test_slots` has mypy find it."""
    app = tmp_path / "misspelt"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "settings.py").write_text("from tests.settings import *\n\nINSTALLED_APPS = [*INSTALLED_APPS, 'misspelt']\n")
    (app / "apps.py").write_text(
        "from django.apps import AppConfig\n\n\n"
        "class MisspeltConfig(AppConfig):\n"
        '    name = "misspelt"\n\n'
        "    def ready(self) -> None:\n"
        "        from devices import ledger\n"
        "        from devices.calls import actions\n\n"
        "        ledger.followers.add(actions.folow_ledger)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "misspelt.settings"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "has no attribute 'folow_ledger'" in done.stderr
