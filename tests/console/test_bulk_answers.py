"""What a page says when a bulk action is done, whether or not it can be undone."""

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.urls import reverse

from console import bulk
from console.models import Operation, OperationRow
from devices.models import Device

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of(rf):
    request = rf.get("/")
    request._messages = CookieStorage(request)
    return request


def done(organization, **fields):
    given = {"state": "done", "succeeded": 1, "sentence": "1 device tagged.", "return_url": "/devices/?q=a", **fields}
    return Operation.objects.create(
        organization=organization, handler="none", title="Tag", permission="device.edit", by_label="Alice", **given
    )


def answered(request, chosen, operation):
    response = bulk.answer(request, chosen, operation, detail="devices:device_detail")
    return response.url, [str(message) for message in get_messages(request)]


def test_it_says_what_was_done_and_refused_and_leads_back_to_the_list(request_of, organization, make_devices):
    make_devices(2)
    operation = done(organization)
    OperationRow.objects.create(
        operation=operation, position=2, label="S-2", code="archived", sentence="It is archived."
    )
    chosen = bulk.Selection(Device.objects.all(), [], is_fixed=True)
    assert answered(request_of, chosen, operation) == ("/devices/?q=a", ["1 device tagged.", "S-2: It is archived."])


def test_of_one_device_it_leads_to_its_page_and_says_nothing_where_nothing_was_done(request_of, organization, device):
    chosen = bulk.Selection(Device.objects.filter(pk=device.pk), [], is_fixed=True)
    url = reverse("devices:device_detail", args=[device.pk])
    assert answered(request_of, chosen, done(organization, succeeded=0)) == (url, [])


def test_work_in_the_background_can_be_followed(request_of, organization, device):
    chosen = bulk.Selection(Device.objects.filter(pk=device.pk), [], is_fixed=True)
    operation = done(organization, state="waiting")
    assert answered(request_of, chosen, operation) == (operation.get_absolute_url(), [])
