"""What docs/api.md says works: its calls run in order on the demo, and the page of all calls lists their fields."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from django.utils.html import escape
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from claims.demo import load as demo
from console import operations
from console.audit import public
from console.models import Member
from console.rest.reference import grouped
from console.rest.schema import built, calls
from customers.models import Customer
from tests.api import Caller, key_of

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs/api.md"
# VARIABLE=$(call … | id_of), or only call …
LINE = re.compile(r"^ +(?:(?P<name>[A-Z]+)=\$\()?(?P<call>call .*?)(?: \| id_of\))?$", re.MULTILINE)


def call(caller, command, known):
    """Do what a line of the document does with `call`."""
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
    path = re.sub(r"\$([A-Z]+)", lambda found: known[found[1]], url)
    return caller.get(path) if body is None else caller.post(path, body, headers=headers)


def id_of(answer):
    """What the function of this name, as the document has it, makes of an answer."""
    function = re.search(r"^id_of\(\) .*$", DOCS.read_text(), re.MULTILINE)[0]
    shell = ["bash", "-c", f"{function}\nid_of"]
    return subprocess.run(shell, input=answer.content, capture_output=True, check=True).stdout.decode().strip()


def test_the_first_six_calls_run_against_the_demo():
    assert demo.load()
    caller = Caller(key_of(Member.objects.get(role="owner").user))
    lines = list(LINE.finditer(DOCS.read_text()))
    assert [line["name"] for line in lines] == [None, None, "CUSTOMER", "OPERATION", None, None]
    answers, known = [], {"API": ""}
    for line in lines:
        answer = call(caller, line["call"], known)
        assert answer.status_code in {200, 201, 202}, (line[0], answer.content)
        answers.append(answer.json())
        if line["name"]:
            known[line["name"]] = id_of(answer)
        if answer.status_code == 202:
            operations.run(answers[-1]["id"])
            # What the document waits for.
            assert b'"done":true' in caller.get(f"/operations/{known['OPERATION']}").content
    found, made, _customers, operation, results, spans = answers
    assert len(found["results"]) == 2
    assert made["serial_number"] == "AQM26-209001"
    assert known == {
        "API": "",
        "CUSTOMER": str(Customer.objects.get(reference="C-1004").pk),
        "OPERATION": str(operation["id"]),
    }
    assert [r["code"] for r in results["results"]] == ["ok", "not_found"]
    assert [s["end_time"] for s in spans["results"]] == ["2999-12-31T23:59:59Z"]


def test_the_document_lists_webhook_events_with_the_webhooks_that_can_have_them():
    rows = re.findall(r"^\| (`[a-z_.]+`(?:, `[a-z_.]+`)*) \| .* \| ([a-z, ]+) \|$", DOCS.read_text(), re.MULTILINE)
    told = {name: set(scopes.split(", ")) for names, scopes in rows for name in re.findall("`(.*?)`", names)}
    assert told == {event.name: set(event.scopes) for event in public.offered()}


def test_the_document_is_generated_without_a_warning():
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(request=None, public=True)
    assert (dict(GENERATOR_STATS._warn_cache), dict(GENERATOR_STATS._error_cache)) == ({}, {})


def test_the_page_shows_every_call(client):
    page = client.get("/api/v1/docs/").content.decode()
    for path, methods in built()["paths"].items():
        assert path in page
        assert all(escape(method["summary"]) in page for method in methods.values() if isinstance(method, dict))
    assert client.get("/api/v1/openapi.json").json()["openapi"].startswith("3.")


def named(fields):
    return {field["name"]: field for field in fields}


def of_page(operation):
    return next(call for group in calls() for call in group["calls"] if call["id"] == operation)


def test_the_page_shows_the_fields_of_the_items_of_a_list(client):
    results = named(of_page("device_list")["answer"]["fields"])["results"]
    inner = named(results["fields"])
    assert (results["type"], inner["product"]["type"]) == ("list of objects", "{id, slug, name}")
    assert inner["status"]["values"] == ["in_stock", "reserved", "owned", "returned", "scrapped"]
    assert inner["archived_at"]["type"] == "date-time or null"
    assert "<summary>Fields of results</summary>" in client.get("/api/v1/docs/").content.decode()


def test_the_page_describes_a_body_and_shows_an_example():
    made = of_page("webhook_create")
    body = named(made["body"])
    assert body["events"]["values"] == [event.name for event in public.offered()]
    assert (body["events"]["limits"], body["events"]["required"]) == ("1 to 30 items", True)
    assert body["url"]["limits"] == "1 to 500 characters"
    assert json.loads(made["example"])["url"] == "https://example.com/hooks"
    batch = named(of_page("devices_assign")["body"])
    assert batch["named_by"]["default"] == '"serial_number"'
    assert batch["devices"]["limits"] == "1 to 100,000 items, each 1 to 64 characters"
    assert named(of_page("device_list")["query"])["limit"]["limits"] == "1 to 200"
    lines = named(of_page("shipment_create")["body"])["lines"]
    assert named(lines["fields"])["expected"]["limits"] == "1 to 100,000"


def test_a_shape_that_holds_itself_ends():
    plain = {name: {"type": "string", "description": "Told."} for name in "abc"}
    itself = {"type": "object", "properties": {**plain, "inner": {"$ref": "#/components/schemas/Itself"}}}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Itself"}}}}
    told = {"operationId": "x", "tags": ["x"], "summary": "X", "responses": {"200": answer}}
    (group,) = grouped({"paths": {"/x": {"get": told}}, "components": {"schemas": {"Itself": itself}}})
    inner = named(group["calls"][0]["answer"]["fields"])["inner"]
    assert (inner["type"], inner["fields"]) == ("object", [])
