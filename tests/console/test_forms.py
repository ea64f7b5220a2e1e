"""What views share to answer a form, a button and an operation: one way each."""

from types import SimpleNamespace

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import RequestFactory

from console import bulk
from console.access import Permission, system
from console.bulk import SelectionChanged
from console.errors import Refused
from console.forms import attempt, page, press
from console.models import Operation, OperationRow


class NameForm(forms.Form):
    name = forms.CharField()


class Proud(NameForm):
    """A form that shows refusals in its own way."""

    def refuse(self, refusal: Refused) -> None:
        self.add_error("name", f"No: {refusal.sentence}")


def refusing(refusal=None):
    raise refusal or Refused("taken", "This name is taken. Choose another one.")


def request_by(method, organization=None, **data):
    request = getattr(RequestFactory(), method)("/", data)
    request._messages = CookieStorage(request)
    request.actor = system(organization)
    return request


def said(request):
    return [(message.level_tag, str(message)) for message in get_messages(request)]


def test_a_valid_form_returns_what_the_act_returns():
    form = NameForm({"name": "Pump"})
    assert attempt(form, lambda: form.cleaned_data["name"].upper()) == "PUMP"
    assert form.errors == {}


@pytest.mark.parametrize("data", [None, {}, {"name": ""}], ids=["not sent", "empty", "invalid"])
def test_nothing_is_done_for_a_form_that_was_not_sent_or_is_invalid(data):
    acts = []
    assert attempt(NameForm(data), lambda: acts.append("done")) is None
    assert acts == []


@pytest.mark.parametrize(
    ("form", "field", "errors"),
    [
        (NameForm({"name": "Pump"}), None, {"__all__": ["This name is taken. Choose another one."]}),
        (NameForm({"name": "Pump"}), "name", {"name": ["This name is taken. Choose another one."]}),
        (Proud({"name": "Pump"}), None, {"name": ["No: This name is taken. Choose another one."]}),
    ],
    ids=["above the fields", "at a field", "by the form"],
)
def test_a_refusal_is_shown_by_the_form(form, field, errors):
    assert attempt(form, refusing, field=field) is None
    assert form.errors == errors


def test_refusals_of_other_kinds_are_raised():
    form = NameForm({"name": "Pump"})
    with pytest.raises(Refused, match="taken"):
        attempt(form, refusing, only=SelectionChanged)
    assert form.errors == {}
    changed = SelectionChanged("selection_changed", "1 more matches now.")
    assert attempt(form, lambda: refusing(changed), only=SelectionChanged) is None
    assert form.errors == {"__all__": ["1 more matches now."]}


@pytest.mark.parametrize(("data", "status"), [(None, 200), ({"name": ""}, 422)])
def test_the_page_of_a_form_that_was_not_accepted_is_a_422(data, status, monkeypatch):
    seen = {}

    def render(request, template, context, status):
        seen.update(context, template=template)
        return SimpleNamespace(status_code=status)

    monkeypatch.setattr("console.forms.render", render)
    form = NameForm(data)
    assert page(request_by("get"), "a.html", form, extra=1).status_code == status
    assert seen == {"form": form, "extra": 1, "template": "a.html"}


@pytest.mark.parametrize(("method", "acts", "messages"), [("get", [], []), ("post", ["/row"], [("success", "Done.")])])
def test_only_a_post_presses_a_button(method, acts, messages):
    request, done = request_by(method), []
    for to, leads in ((None, "/row"), ("/list", "/list")):
        response = press(request, "/row", lambda row, by: done.append(row), "Done.", to=to)
        assert (response.status_code, response.url) == (302, leads)
    assert (done, said(request)) == (acts * 2, messages * 2)


def test_a_button_that_is_refused_says_nothing_of_success():
    request = request_by("post")
    with pytest.raises(Refused):
        press(request, "/row", lambda row, by: refusing(), "Done.")
    assert said(request) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("number", "last"),
    [
        (10, "D-9: It is owned."),
        (11, "1 more was left unchanged."),
        (12, "2 more were left unchanged."),
    ],
)
def test_the_first_refused_rows_are_named_and_the_rest_are_counted(organization, number, last):
    operation = Operation.objects.create(
        organization=organization, handler="-", title="-", permission=Permission.VIEW, total=number, refused=number
    )
    OperationRow.objects.bulk_create(
        OperationRow(operation=operation, position=n, label=f"D-{n}", code="owned", sentence="It is owned.")
        for n in range(number)
    )
    request = request_by("get", organization)
    bulk.tell_refused(request, operation)
    told = said(request)
    assert told[0] == ("error", "D-0: It is owned.")
    assert (len(told), told[-1]) == (min(number, 11), ("error", last))
