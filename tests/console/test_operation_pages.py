"""The page of a long piece of work: progress, counts, refused rows, and an end."""

import csv
import io

import pytest
from django.urls import reverse

from console.models import Operation, OperationRow

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "operation"}


@pytest.fixture
def operation(organization) -> Operation:
    return Operation.objects.create(
        organization=organization,
        handler="none",
        title="Assign 300 devices",
        total=300,
        succeeded=120,
        refused=30,
        state="running",
        permission="device.assign",
        by_label="Alice Kemp",
        return_url="/devices/?status=in_stock",
    )


@pytest.fixture
def rows(operation):
    return OperationRow.objects.bulk_create(
        OperationRow(operation=operation, position=n, label=f"AQM26-{n}", code="owned", sentence="It has an owner.")
        for n in range(1, 131)
    )


def test_a_running_operation_asks_again_by_itself(client_for, operation):
    html = client_for("viewer").get(operation.get_absolute_url()).content.decode()
    assert 'hx-trigger="every 1s"' in html
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in html
    assert 'value="50"' in html
    assert 'href="/devices/?status=in_stock"' in html


@pytest.mark.parametrize("state", ["done", "failed"])
def test_an_operation_that_is_over_does_not(client_for, operation, state):
    Operation.objects.update(state=state, sentence="270 devices assigned.")
    html = client_for("viewer").get(operation.get_absolute_url()).content.decode()
    assert "every 1s" not in html
    assert "http-equiv" not in html
    assert "270 devices assigned." in html


def test_htmx_gets_the_part_alone(client_for, operation):
    html = client_for("viewer").get(operation.get_absolute_url(), headers=HTMX).content.decode()
    assert "<html" not in html
    assert html.count('id="operation"') == 1


def test_the_first_hundred_refused_rows_are_shown_and_all_can_be_taken_home(client_for, operation, rows):
    client = client_for("support")
    response = client.get(operation.get_absolute_url())
    assert [row.position for row in response.context["rows"]] == list(range(1, 101))
    file = client.get(reverse("console:operation_refused", args=[operation.pk]))
    lines = list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"))))
    assert lines[0] == ["Row", "Name", "Code", "Why it was refused"]
    assert len(lines) == 131
    assert lines[130] == ["130", "AQM26-130", "owned", "It has an owner."]


def test_the_operations_of_others_do_not_exist(client_for, charlie, operation, rows):
    client = client_for(charlie)
    assert client.get(operation.get_absolute_url()).status_code == 404
    assert client.get(reverse("console:operation_refused", args=[operation.pk])).status_code == 404


def test_the_page_asks_a_fixed_number_of_questions(client_for, operation, rows, django_assert_max_num_queries):
    client = client_for("viewer")
    client.get("/")
    with django_assert_max_num_queries(8):
        client.get(operation.get_absolute_url())
