"""What is declared of undos; what each undo does is tested in its room."""

from dataclasses import replace

import pytest
from django.core.exceptions import ImproperlyConfigured

from console import undo
from devices import undos

ROUTES = {
    "devices:device_assign_undo",
    "devices:device_unclaim_undo",
    "claims:return_receive_undo",
    "claims:return_inspect_undo",
}


def test_every_undo_is_declared_and_has_its_page():
    assert set(undo.DECLARED) == ROUTES
    assert undo.undos_have_pages() == []


def test_a_route_is_undone_in_one_way():
    with pytest.raises(ImproperlyConfigured, match="devices:device_assign_undo is declared twice"):
        replace(undos.ASSIGN)


def test_the_checks_name_an_undo_without_a_page_or_list(monkeypatch):
    monkeypatch.setattr(undo, "DECLARED", {})
    replace(undos.ASSIGN, route="devices:device_asign_undo", parent=("Devices", "devices:devices"))
    found = undo.undos_have_pages()
    assert [(error.id, error.msg) for error in found] == [
        ("custody.E041", "The undo devices:device_asign_undo names devices:device_asign_undo, which is not a route."),
        ("custody.E041", "The undo devices:device_asign_undo names devices:devices, which is not a route."),
    ]


def test_numbers_on_the_page_are_grouped():
    assert undos.ASSIGN.heading(1) == "Undo assigning 1 device?"
    assert undos.UNCLAIM.button(12_000) == "Return 12,000 devices to their owners"
    assert undos.wiped({"wiped": 0}) == ""
    assert undos.wiped({"wiped": 1_200}).startswith("1,200 of them have already wiped themselves.")
