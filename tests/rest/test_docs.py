"""What docs/api.md says works: its calls run, in order, against the demo."""

import json
import re
import shlex
from pathlib import Path

import pytest
from django.utils.html import escape
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from claims import demo
from console import operations
from console.models import Member
from console.rest.schema import built
from customers.models import Customer
from tests.api import Caller, key_of

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs/api.md"


def call(caller, command, operation, customer):
    """Do what a curl command does."""
    words, headers, body, url = shlex.split(command)[1:], {}, None, ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _colon, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = json.loads(words.pop(0))
        else:
            url = word
    assert headers.pop("Authorization") == "Bearer $KEY"
    path = url.replace("$API", "").replace("$OPERATION", str(operation))
    path = path.replace("$CUSTOMER", str(customer))
    if body is None:
        return caller.get(path)
    assert headers.pop("Content-Type") == "application/json"
    return caller.post(path, body, headers=headers)


def test_the_first_six_calls_run_against_the_demo():
    assert demo.load()
    caller = Caller(key_of(Member.objects.get(role="owner").user))
    commands = re.findall(r"^ +(curl .*)$", DOCS.read_text(), re.MULTILINE)
    assert len(commands) == 6
    answers, operation, customer = [], 0, Customer.objects.get(reference="C-1004").pk
    for command in commands:
        answer = call(caller, command, operation, customer)
        assert answer.status_code in {200, 201, 202}, (command, answer.content)
        answers.append(answer.json())
        if answer.status_code == 202:
            operation = answers[-1]["id"]
            operations.run(operation)
    found, made, customers, _operation, results, spans = answers
    assert len(found["results"]) == 2
    assert made["serial_number"] == "AQM26-209001"
    assert [(c["id"], c["name"]) for c in customers["results"]] == [
        (customers["results"][0]["id"], "Stadtwerke Aalen")
    ]
    assert [r["code"] for r in results["results"]] == ["ok", "not_found"]
    assert [s["end_time"] for s in spans["results"]] == ["2999-12-31T23:59:59Z"]


def test_the_document_is_made_without_a_warning():
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(request=None, public=True)
    assert (dict(GENERATOR_STATS._warn_cache), dict(GENERATOR_STATS._error_cache)) == ({}, {})


def test_the_page_shows_every_call(client):
    page = client.get("/api/v1/docs/").content.decode()
    for path, methods in built()["paths"].items():
        assert path in page
        assert all(
            escape(method["summary"]) in page for method in methods.values() if isinstance(method, dict)
        )
    assert client.get("/api/v1/openapi.json").json()["openapi"].startswith("3.")
