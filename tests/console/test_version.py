"""One version, said everywhere."""

import re
import tomllib

import pytest
from django.conf import settings
from django.urls import reverse

from console.version import VERSION


def test_the_version_is_that_of_the_project_and_has_an_entry_in_the_change_log():
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    newest = re.search(r"^## ([\d.]+)", (settings.BASE_DIR / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and newest[1] == VERSION


@pytest.mark.django_db
def test_the_console_and_the_api_say_the_version(client, alice):
    client.force_login(alice, "allauth.account.auth_backends.AuthenticationBackend")
    assert f"Custody {VERSION}" in client.get(reverse("console:home")).content.decode()
    assert f"Custody {VERSION}" in client.get(reverse("api:docs")).content.decode()
    assert client.get(reverse("api:openapi")).json()["info"]["version"] == VERSION
