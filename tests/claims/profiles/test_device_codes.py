"""A code for each device: list, selection, export, new labels, and large numbers of devices."""

import csv
from io import StringIO

import pytest
from django.urls import reverse

from claims.models import ClaimCode, ClaimProfile
from claims.profiles import printed
from claims.profiles.actions import codes as claim_codes
from claims.profiles.actions import profiles as claim_profiles
from claims.redemption.actions import redemption as claims
from console import operations
from console.errors import Refused
from console.models import Event, Operation
from devices.actions import ownership
from tests import factories, forms
from tests.claims import worlds

pytestmark = pytest.mark.django_db
ADD = "/claim-profiles/add-units/"


@pytest.fixture
def owner(client_for, alice):
    return client_for(alice)


def _list_url(profile) -> str:
    return reverse("claims:claim_profile_units", args=[profile.pk])


# The list


def test_the_list_shows_codes_and_who_claimed_them(owner, product, make_devices, customer, dana, actor):
    first, second = make_devices(2)
    profile = worlds.make_unit_profile(product)
    claims.redeem(profile.codes.get(device=first), customer=customer, by=actor(dana), host="localhost")
    response = owner.get(_list_url(profile))
    rows = response.context["page"].rows
    assert [(row, row.claim and row.claim.customer) for row in rows] == [(first, customer), (second, None)]
    assert [row.label.typed for row in rows] == [
        printed.label(profile.codes.get(device=d)).typed for d in (first, second)
    ]
    assert all(row.label.typed in response.content.decode() for row in rows)
    detail = owner.get(profile.get_absolute_url()).context
    assert (detail["unit_count"], detail["claimed_count"], detail["making"]) == (2, 1, None)


def test_a_returned_device_no_longer_counts_as_claimed(owner, product, device, customer, dana, actor, by):
    profile = worlds.make_unit_profile(product)
    claims.redeem(profile.codes.get(), customer=customer, by=actor(dana), host="localhost")
    ownership.unclaim([device.pk], reason="returned", by=by)
    assert [row.claim for row in owner.get(_list_url(profile)).context["page"].rows] == [None]
    detail = owner.get(profile.get_absolute_url()).context
    assert (detail["claimed_count"], detail["profile"].claim_count) == (0, 1)


def test_only_the_devices_of_this_profile_are_listed(owner, organization, product, make_devices):
    first, second = make_devices(2)
    picked = worlds.make_unit_profile(None, first, organization=organization, slug="picked")
    every = worlds.make_unit_profile(product)
    assert owner.get(_list_url(picked)).context["page"].rows == [first]
    assert owner.get(_list_url(every)).context["page"].rows == [first, second]


@pytest.mark.parametrize(
    ("query", "serials"),
    [
        ("?q=aqm-0", ["AQM-02", "AQM-01"]),
        ("?q=zzz", []),
        ("?sort=registered", ["AQM-11", "AQM-02", "AQM-01"]),
        ("?sort=-registered", ["AQM-01", "AQM-02", "AQM-11"]),
        ("", ["AQM-11", "AQM-02", "AQM-01"]),
    ],
)
def test_the_devices_can_be_searched_and_sorted(owner, product, query, serials):
    for serial in ("AQM-11", "AQM-02", "AQM-01"):
        factories.make_device(product, serial)
    profile = worlds.make_unit_profile(product)
    assert [row.serial_number for row in owner.get(_list_url(profile) + query).context["page"].rows] == serials


def test_paging_reaches_all_devices(owner, product):
    ids = worlds.make_many_devices(product, 120)
    profile = worlds.make_unit_profile(product)
    url, seen = _list_url(profile), []
    while url:
        page = owner.get(url).context["page"]
        seen += [row.pk for row in page.rows]
        url = _list_url(profile) + page.next if page.next else ""
    assert seen == ids


def test_the_list_takes_a_fixed_number_of_queries(owner, product, django_assert_max_num_queries):
    worlds.make_many_devices(product, 60)
    profile = worlds.make_unit_profile(product)
    owner.get(_list_url(profile))
    with django_assert_max_num_queries(8):
        owner.get(_list_url(profile))


def test_a_profile_with_one_code_has_no_device_list(owner, organization):
    profile = worlds.make_link_profile(organization)
    assert owner.get(_list_url(profile)).status_code == 404


# The export


def test_all_codes_can_be_exported_and_the_export_is_logged(owner, product, make_devices, alice):
    devices = make_devices(3)
    profile = worlds.make_unit_profile(product)
    response = owner.post(reverse("claims:claim_profile_units_export", args=[profile.pk]))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    labels = [printed.label(profile.codes.get(device=device)) for device in devices]
    assert list(csv.reader(StringIO(text))) == [
        ["serial_number", "device_name", "typed_code", "link", "version"],
        *[
            [d.serial_number, d.device_name, label.typed, label.link, "1"]
            for d, label in zip(devices, labels, strict=True)
        ],
    ]
    assert response["Cache-Control"] == "no-store"
    event = worlds.event("claim_profile.codes_exported")
    assert (event.subject_id, event.actor_id, event.data) == (profile.pk, alice.pk, {"units": 3})


def test_only_people_who_may_see_codes_can_export_them(client_for, charlie, product, device):
    url = reverse("claims:claim_profile_units_export", args=[worlds.make_unit_profile(product).pk])
    assert client_for("viewer").post(url).status_code == 403
    assert client_for(charlie).post(url).status_code == 404
    assert client_for("owner").get(url).status_code == 405
    assert not Event.objects.exists()


# A selection


def test_a_selection_gets_codes_of_a_new_profile(owner, make_devices, organization):
    first, second, _third = make_devices(3)
    page = owner.get(f"{ADD}?ids={first.pk}&ids={second.pk}")
    assert (page.context["total"], list(page.context["rows"])) == (2, [first, second])
    response = owner.post(ADD, {"ids": f"{first.pk},{second.pk}", "name": "Rental kits"})
    profile = ClaimProfile.objects.get()
    assert (response.status_code, response.url) == (302, _list_url(profile))
    assert (profile.organization, profile.name, profile.slug, profile.scope, profile.product) == (
        organization,
        "Rental kits",
        "rental-kits",
        "unit",
        None,
    )
    assert set(profile.codes.values_list("device", flat=True)) == {first.pk, second.pk}
    told = list(Event.objects.order_by("pk").values_list("kind", "data"))
    assert told == [("claim_profile.created", {}), ("claim_profile.units_added", {"units": 2})]


def test_a_selection_gets_codes_of_an_existing_profile(owner, make_devices, organization):
    first, second = make_devices(2)
    profile = worlds.make_unit_profile(None, first, organization=organization)
    before = profile.codes.get().pk
    page = owner.get(f"{ADD}?ids={first.pk},{second.pk}")
    assert page.context["having"] == [("Units", 1)]
    owner.post(ADD, {"ids": f"{first.pk},{second.pk}", "profile": profile.pk})
    assert profile.codes.count() == 2
    assert profile.codes.get(device=first).pk == before
    assert worlds.event("claim_profile.units_added").data == {"units": 1}


def test_all_devices_matching_the_filters_get_codes(owner, product, organization, make_devices):
    make_devices(3)
    other = factories.make_device(factories.make_product(organization, "Gas Meter"), "GAS-1")
    forms.act(owner, ADD, {"all": "1", "product": other.product_id}, name="Gas")
    assert list(ClaimCode.objects.values_list("device", flat=True)) == [other.pk]


def test_a_selection_needs_a_profile_or_a_name(owner, device, organization):
    worlds.make_unit_profile(None, organization=organization)
    response = owner.post(ADD, {"ids": device.pk})
    assert (response.status_code, response.context["form"].errors["name"]) == (
        422,
        ["Choose a profile, or name a new one."],
    )
    assert not ClaimCode.objects.exists()


def test_a_profile_tied_to_a_product_takes_no_selection(owner, product, device, by, organization):
    tied = worlds.make_unit_profile(product)
    link = worlds.make_link_profile(organization)
    for profile in (tied, link):
        assert owner.post(ADD, {"ids": device.pk, "profile": profile.pk}).status_code == 422
        with pytest.raises(Refused) as refusal:
            claim_codes.add_units(profile, [device.pk], by=by)
        assert refusal.value.code == "not_for_selection"
    assert ClaimCode.objects.count() == 2


def test_devices_of_another_organization_get_no_code(owner, foreign_device, charlie, client_for, device, organization):
    owner.post(ADD, {"ids": f"{foreign_device.pk},{device.pk}", "name": "Mine"})
    assert list(ClaimCode.objects.values_list("device", flat=True)) == [device.pk]
    response = client_for(charlie).post(ADD, {"ids": foreign_device.pk, "profile": ClaimProfile.objects.get().pk})
    assert response.status_code == 422
    assert ClaimCode.objects.count() == 1


def test_only_people_who_may_edit_profiles_can_add_devices(client_for, device):
    for role in ("support", "fulfilment", "viewer"):
        assert client_for(role).post(ADD, {"ids": device.pk, "name": "x"}).status_code == 403
    assert not ClaimProfile.objects.exists()


def test_an_empty_selection_is_refused(owner):
    for url in (ADD, f"{ADD}?ids=", f"{ADD}?ids=x", f"{ADD}?ids=" + "9" * 40):
        assert owner.get(url).status_code == 422


# Large numbers


@pytest.fixture
def few_in_request(monkeypatch):
    monkeypatch.setattr(claim_codes, "IN_REQUEST", 10)
    monkeypatch.setattr(claim_codes, "BATCH", 4)


def test_codes_for_many_devices_are_created_in_the_background(owner, product, few_in_request, by):
    ids = worlds.make_many_devices(product, 11)
    profile = claim_profiles.create(name="All", slug="all", scope="unit", product=product, by=by)
    operation = Operation.objects.get()
    assert (profile.codes.count(), operation.state, operation.total) == (0, "waiting", 11)
    assert owner.get(profile.get_absolute_url()).context["making"] == operation
    later = factories.make_device(product, "LATER-1")
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.succeeded, operation.sentence) == ("done", 12, "12 codes of All created.")
    assert set(profile.codes.values_list("device", flat=True)) == {*ids, later.pk}
    assert owner.get(profile.get_absolute_url()).context["making"] is None


def test_an_interrupted_operation_resumes_where_it_stopped(product, few_in_request, by, monkeypatch):
    ids = worlds.make_many_devices(product, 11)
    profile = claim_profiles.create(name="All", slug="all", scope="unit", product=product, by=by)
    operation = Operation.objects.get()
    make, calls = claim_codes.make_for_devices, []

    def killed(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return make(*args)

    monkeypatch.setattr(claim_codes, "make_for_devices", killed)
    with pytest.raises(KeyboardInterrupt):
        operations.run(operation.pk)
    assert profile.codes.count() == 4
    Operation.objects.update(state="waiting")
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.succeeded, profile.codes.count()) == ("done", 11, len(ids))


def test_a_large_selection_is_processed_in_the_background(owner, product, few_in_request):
    ids = worlds.make_many_devices(product, 11)
    response = forms.act(owner, ADD, {"all": "1"}, name="Many")
    operation, profile = Operation.objects.get(), ClaimProfile.objects.get()
    assert (response.status_code, response.url) == (302, operation.get_absolute_url())
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.succeeded) == ("done", 11)
    assert set(profile.codes.values_list("device", flat=True)) == set(ids)
    assert worlds.event("claim_profile.units_added").data == {"units": 11}


def test_a_person_who_lost_the_permission_creates_no_codes(product, few_in_request, by, alice):
    worlds.make_many_devices(product, 11)
    claim_profiles.create(name="All", slug="all", scope="unit", product=product, by=by)
    alice.memberships.update(role="viewer")
    operation = Operation.objects.get()
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, ClaimCode.objects.count()) == ("failed", 0)
    ClaimProfile.objects.update(product=None)


# New labels


def test_a_label_is_replaced_with_a_reason(client_for, product, device):
    profile = worlds.make_unit_profile(product)
    url = reverse("claims:unit_code_replace", args=[device.pk])
    support = client_for("support")
    assert support.get(url).status_code == 200
    assert support.post(url, {"reason": ""}).status_code == 422
    assert profile.codes.get().version == 1
    response = support.post(url, {"reason": "Torn off"})
    assert (response.status_code, response.url) == (302, device.get_absolute_url())
    assert profile.codes.get().version == 2
    assert worlds.event("device.code_replaced").data == {"note": "Torn off"}


def test_the_owner_keeps_the_device_when_its_label_is_replaced(owner, product, device, customer, dana, actor):
    profile = worlds.make_unit_profile(product)
    claims.redeem(profile.codes.get(), customer=customer, by=actor(dana), host="localhost")
    owner.post(reverse("claims:unit_code_replace", args=[device.pk]), {"reason": "Torn off"})
    device.refresh_from_db()
    assert device.customer == customer


def test_people_who_may_not_edit_devices_cannot_replace_labels(client_for, charlie, product, device):
    profile = worlds.make_unit_profile(product)
    url = reverse("claims:unit_code_replace", args=[device.pk])
    for role in ("viewer", "fulfilment"):
        assert client_for(role).post(url, {"reason": "x"}).status_code == 403
    assert client_for(charlie).post(url, {"reason": "x"}).status_code == 404
    assert profile.codes.get().version == 1


def test_a_device_without_a_code_has_no_label_to_replace(owner, device):
    assert owner.get(reverse("claims:unit_code_replace", args=[device.pk])).status_code == 404


# The card on the device's page


def test_the_card_shows_the_code_and_whether_it_was_used(owner, product, device, customer, dana, actor):
    profile = worlds.make_unit_profile(product)
    label = printed.label(profile.codes.get())
    page = owner.get(device.get_absolute_url()).content.decode()
    for text in (label.typed, label.link, "Not claimed yet.", profile.get_absolute_url(), "Replace the label"):
        assert text in page
    claims.redeem(profile.codes.get(), customer=customer, by=actor(dana), host="localhost")
    assert "Claimed by Stadtwerke Aalen on" in owner.get(device.get_absolute_url()).content.decode()


def test_the_card_of_an_assigned_device_says_that_its_code_cannot_be_claimed(owner, product, device, customer, by):
    worlds.make_unit_profile(product)
    ownership.assign([device.pk], customer=customer, by=by)
    assert "It can't be claimed while the device has an owner." in owner.get(device.get_absolute_url()).content.decode()


def test_the_card_of_a_device_without_a_code_links_to_creating_one(owner, client_for, device):
    link = f"{ADD}?ids={device.pk}"
    assert link in owner.get(device.get_absolute_url()).content.decode()
    page = client_for("viewer").get(device.get_absolute_url()).content.decode()
    assert "This device has no code of its own" in page
    assert link not in page


def test_the_label_number_is_shown_once_a_label_was_replaced(owner, product, device, by):
    worlds.make_unit_profile(product)
    claim_codes.replace_for_devices([device.pk], reason="torn", by=by)
    assert "Label version 2, since" in owner.get(device.get_absolute_url()).content.decode()
