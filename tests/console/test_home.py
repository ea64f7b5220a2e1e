"""The first page, and what every page keeps secret."""

import logging

import pytest
from django.urls import reverse

from console.logs import HideCodes
from tests import factories
from tests.html import tight

pytestmark = pytest.mark.django_db
HOME = "/"


def test_a_new_organization_sees_its_first_steps_and_nothing_empty(client_for):
    response = client_for("owner").get(HOME)
    assert [done for _step, done in response.context["steps"]] == [False, False, False, False]
    assert response.context["next"] == "Create a product"
    assert response.context["has_begun"] is False
    assert tight(response).count("Start</a>") == 4


def test_steps_that_are_done_are_marked(client_for, device):
    response = client_for("owner").get(HOME)
    assert [done for _step, done in response.context["steps"]] == [True, True, False, False]
    assert response.context["next"] == "Create a customer"
    assert response.context["has_begun"] is True


def test_the_steps_of_others_do_not_count(client_for, foreign_device):
    assert [done for _step, done in client_for("owner").get(HOME).context["steps"]] == [False] * 4


def test_members_without_permission_are_offered_no_steps(client_for):
    assert client_for("viewer").get(HOME).context["steps"] == []


def test_a_step_that_the_role_does_not_allow_has_no_button(client_for, organization):
    html = tight(client_for("support").get(HOME))
    assert html.count("Start</a>") == 1


def test_the_page_asks_a_fixed_number_of_questions(client_for, make_devices, customer, django_assert_max_num_queries):
    client = client_for("owner")
    make_devices(3)
    client.get(HOME)
    with django_assert_max_num_queries(25):
        client.get(HOME)


def test_every_page_carries_a_strict_policy_and_is_not_kept(client_for):
    response = client_for("owner").get(HOME)
    policy = response["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Frame-Options"] == "DENY"


def test_the_menu_offers_stored_mail_to_people_who_may_read_it(client_for, organization):
    link = f'href="{reverse("console:mail_list")}"'
    assert link in client_for("owner").get(HOME).content.decode()
    assert link not in client_for("support").get(HOME).content.decode()


@pytest.mark.parametrize(
    "line",
    [
        '"GET /invitation/SECRET/ HTTP/1.1" 302',
        '"GET /mail/SECRET/ HTTP/1.1"',
        '"GET /setup/?code=SECRET HTTP/1.1"',
        '"GET /account/password/reset/key/SECRET/ HTTP/1.1"',
        '"GET /C/SECRET HTTP/1.1"',
        "http://x/c/SECRET?a=1",
    ],
)
def test_secrets_of_links_stay_out_of_the_log(line):
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (line,), None)
    assert HideCodes().filter(record)
    assert "SECRET" not in record.getMessage()


def test_other_lines_of_the_log_stay_as_they_are():
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s %d", ("GET /devices/", 200), None)
    assert HideCodes().filter(record)
    assert record.getMessage() == "GET /devices/ 200"


def test_an_id_is_not_written_with_separators(client_for, product, organization):
    factories.make_device(product, "AQM26-1", id=1234567)
    html = client_for("owner").get("/devices/").content.decode()
    assert "1,234,567" not in html
    assert "/devices/1234567/" in html
