"""Claim profiles in the console: list, form, switch, detail page, claims."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import openpyxl
import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from claims.models import Claim, ClaimCode, ClaimProfile, ClaimStep, Step
from claims.profiles import panels, printed, search
from claims.profiles.actions import codes as claim_codes
from claims.profiles.actions import profiles as claim_profiles
from claims.profiles.charts import by_day
from claims.redemption import offers
from claims.redemption.actions import funnel as steps
from claims.redemption.actions import redemption as claims
from console.errors import Refused
from console.models import Event, Member, Operation, OrganizationDomain
from customers.models import CustomerKind, Project
from devices.actions import ownership
from devices.models import Device, DeviceStatus, ManifestImport
from tests import factories
from tests.claims import worlds

pytestmark = pytest.mark.django_db
LIST, CREATE = "/claim-profiles/", "/claim-profiles/new/"


@pytest.fixture
def owner(client_for, alice):
    return client_for(alice)


def entries(**changes) -> dict:
    """Return what the form sends for a simple profile."""
    return {"name": "North pilot", "slug": "", "scope": "link", "grant": "ownership", "is_enabled": "on", **changes}


def as_sent(response) -> dict:
    """Return what a browser would send from the form on this page, unchanged."""
    form = response.context["form"]
    rows = [*form, *(field for rows in (form.documents, form.members, form.questions) for row in rows for field in row)]
    data = {}
    for field in rows:
        value = field.value()
        if not field.field.disabled and value not in (None, "", False):
            data[field.html_name] = field.field.widget.format_value(value) if hasattr(value, "year") else value
    return data


# Creating


def test_a_name_is_enough_to_create_a_profile(owner, organization, alice):
    response = owner.post(CREATE, entries())
    profile = ClaimProfile.objects.get()
    assert (response.status_code, response.url) == (302, reverse("claims:claim_profile_detail", args=[profile.pk]))
    assert (profile.organization, profile.name, profile.slug, profile.name_key) == (
        organization,
        "North pilot",
        "north-pilot",
        "north pilot",
    )
    assert (profile.scope, profile.grant, profile.is_enabled, profile.max_claims, profile.version) == (
        "link",
        "ownership",
        True,
        None,
        1,
    )
    assert profile.codes.get().device is None
    event = worlds.event("claim_profile.created")
    assert (event.subject_id, event.actor_id) == (profile.pk, alice.pk)


def test_every_field_of_a_profile_is_saved(owner, organization, make_devices, bob):
    first, second = make_devices(2)
    domain = OrganizationDomain.objects.create(organization=organization, host="claim.northlake.example")
    fleet = factories.make_customer(organization, "Fleet", kind=CustomerKind.INTERNAL)
    organization.time_zone = "Europe/Berlin"
    organization.save(update_fields=["time_zone"])
    sent = entries(
        slug="Pilot-7",
        description="For the north.",
        grant="access",
        max_claims="1000",
        valid_from="2026-11-01T08:00",
        valid_until="2026-12-01T08:00",
        domain=domain.pk,
        additional_project=fleet.projects.get().pk,
        devices=f"{first.serial_number}\n\n  {second.device_name.upper()} \n{first.serial_number}",
        **{
            "documents-0-title": "Manual",
            "documents-0-link": "northlake.example/manual.pdf",
            "documents-1-title": "",
            "documents-1-link": "",
            "members-0-member": Member.objects.get(user=bob).pk,
            "members-0-role": "operator",
            "members-1-member": "",
            "members-1-role": "viewer",
            "questions-0-label": "Site name",
            "questions-0-required": "on",
            "questions-3-label": "Site name",
        },
    )
    assert owner.post(CREATE, sent).status_code == 302
    profile = ClaimProfile.objects.get()
    assert (profile.slug, profile.description, profile.grant, profile.max_claims) == (
        "pilot-7",
        "For the north.",
        "access",
        1000,
    )
    assert profile.valid_from == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert profile.valid_until == datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert (profile.domain, profile.additional_project) == (domain, fleet.projects.get())
    assert list(profile.resources.values_list("kind", "device", "title", "link")) == [
        ("device", first.pk, "", ""),
        ("device", second.pk, "", ""),
        ("document", None, "Manual", "https://northlake.example/manual.pdf"),
    ]
    assert list(profile.members.values_list("member__user", "role")) == [(bob.pk, "operator")]
    assert profile.form == [
        {"name": "site-name", "label": "Site name", "required": True},
        {"name": "site-name-2", "label": "Site name", "required": False},
    ]


@pytest.mark.parametrize(
    ("name", "slug"), [("Übergrößen & Co.", "ubergroen-co"), ("北", "profile"), ("x" * 120, "x" * 52)]
)
def test_the_identifier_is_generated_from_the_name(owner, name, slug):
    owner.post(CREATE, entries(name=name))
    owner.post(CREATE, entries(name=name))
    assert list(ClaimProfile.objects.order_by("pk").values_list("slug", flat=True)) == [slug, f"{slug}-2"]


def test_another_organization_can_use_the_same_identifier(owner, client_for, charlie):
    owner.post(CREATE, entries())
    client_for(charlie).post(CREATE, entries())
    assert list(ClaimProfile.objects.values_list("slug", flat=True)) == ["north-pilot", "north-pilot"]


@pytest.mark.parametrize("limit", ["", "0"])
def test_an_empty_limit_or_0_means_unlimited(owner, limit):
    owner.post(CREATE, entries(max_claims=limit))
    assert ClaimProfile.objects.get().max_claims is None


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"name": ""}, "name", "This field is required."),
        ({"name": "   "}, "name", "This field is required."),
        ({"name": "A\u202eB"}, "name", "It contains an invisible control character (U+202E)."),
        ({"slug": "a b"}, "slug", "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."),
        ({"slug": "taken"}, "slug", "Another claim profile has this identifier."),
        ({"slug": "TAKEN"}, "slug", "Another claim profile has this identifier."),
        ({"scope": "all"}, "scope", "Select a valid choice. all is not one of the available choices."),
        ({"max_claims": "-1"}, "max_claims", "Ensure this value is greater than or equal to 0."),
        ({"max_claims": "9" * 30}, "max_claims", "Ensure this value is less than or equal to 1000000000."),
        ({"max_claims": "many"}, "max_claims", "Enter a whole number."),
        (
            {"valid_from": "2026-01-02T00:00", "valid_until": "2026-01-02T00:00"},
            "valid_until",
            "The end must be after the start.",
        ),
        ({"valid_from": "0001-01-01T00:00"}, "valid_from", "Choose a day between 2000 and 2200."),
        ({"valid_until": "9999-12-31T23:59"}, "valid_until", "Choose a day between 2000 and 2200."),
        ({"valid_until": "soon"}, "valid_until", "Enter a valid date/time."),
        ({"devices": "NOPE-1\nNOPE-2"}, "devices", "Not found: NOPE-1, NOPE-2."),
        (
            {"devices": "\n".join(f"N{n}" for n in range(12))},
            "devices",
            "Not found: N0, N1, N2, N3, N4, N5, N6, N7, N8, N9 and 2 more.",
        ),
        ({"devices": "\n".join(f"N{n}" for n in range(501))}, "devices", "A claim can include at most 500 devices."),
        ({"devices": "AQM\u0000"}, "devices", "Null characters are not allowed."),
        ({"devices": "AQM\u202e"}, "devices", "It contains an invisible control character (U+202E)."),
        ({"product": "999"}, "product", "Select a valid choice. That choice is not one of the available choices."),
    ],
)
def test_an_invalid_value_is_refused_at_its_field_and_nothing_is_created(owner, organization, changes, field, sentence):
    worlds.make_link_profile(organization, slug="taken")
    response = owner.post(CREATE, entries(**changes))
    assert response.status_code == 422
    assert response.context["form"].errors[field] == [sentence]
    assert ClaimProfile.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "field", "sentence"),
    [
        ({"documents-0-title": "Manual"}, "link", "This field is required."),
        ({"documents-0-link": "https://northlake.example"}, "title", "This field is required."),
        (
            {"documents-0-title": "M", "documents-0-link": "http://northlake.example/"},
            "link",
            "Enter a link that begins with https://.",
        ),
        ({"documents-0-title": "M", "documents-0-link": "javascript:alert(1)"}, "link", "Enter a valid URL."),
        (
            {"documents-0-title": "M", "documents-0-link": "https://a.example/\x01"},
            "link",
            "It contains an invisible control character (U+0001).",
        ),
        *(
            (
                {"documents-0-title": "M", "documents-0-link": link},
                "link",
                "Remove the user name and password: everyone who claims a device sees the link.",
            )
            for link in (
                "https://user:password@northlake.example/",
                "https://token@northlake.example",
                "HTTPS://a.example\\@b.example/",
            )
        ),
        ({"members-0-role": "admin"}, "member", "This field is required."),
        (
            {"members-0-member": "999"},
            "member",
            "Select a valid choice. That choice is not one of the available choices.",
        ),
        ({"questions-0-required": "on"}, "label", "This field is required."),
    ],
)
def test_an_invalid_value_in_a_row_is_reported_in_that_row(owner, row, field, sentence):
    response = owner.post(CREATE, entries(**row))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    form = response.context["form"]
    errors = [each.errors for rows in (form.documents, form.members, form.questions) for each in rows.forms]
    assert [error[field] for error in errors if error] == [[sentence]]
    assert not ClaimProfile.objects.exists()


def test_a_member_has_a_portal_role_and_is_listed_once(owner, bob):
    pk = Member.objects.get(user=bob).pk
    staff = owner.post(CREATE, entries(**{"members-0-member": pk, "members-0-role": "owner"}))
    twice = owner.post(
        CREATE,
        entries(
            **{"members-0-member": pk, "members-0-role": "admin", "members-1-member": pk, "members-1-role": "operator"}
        ),
    )
    assert (staff.status_code, twice.status_code) == (422, 422)
    assert twice.context["form"].non_field_errors() == ["A member is listed twice. Remove one of the lines."]
    assert not ClaimProfile.objects.exists()


def test_rows_beyond_the_maximum_are_ignored(owner):
    sent = {f"questions-{n}-label": f"Question {n}" for n in range(30)}
    owner.post(CREATE, entries(**sent))
    assert [asked["label"] for asked in ClaimProfile.objects.get().form] == [f"Question {n}" for n in range(5)]


def test_choices_from_another_organization_are_refused(
    owner, other_organization, foreign_device, charlie, organization
):
    domain = OrganizationDomain.objects.create(organization=other_organization, host="claim.southridge.example")
    internal = factories.make_customer(other_organization, "Their fleet", kind=CustomerKind.INTERNAL)
    wrong = "Select a valid choice. That choice is not one of the available choices."
    for field, value, sentence in [
        ("domain", domain.pk, wrong),
        ("additional_project", internal.projects.get().pk, wrong),
        ("product", foreign_device.product_id, wrong),
        ("devices", foreign_device.serial_number, "Not found: WND-1."),
    ]:
        response = owner.post(CREATE, entries(**{field: value}))
        assert response.context["form"].errors[field] == [sentence]
    member = Member.objects.get(user=charlie).pk
    assert owner.post(CREATE, entries(**{"members-0-member": member, "members-0-role": "admin"})).status_code == 422
    assert not ClaimProfile.objects.exists()


def test_the_additional_project_must_belong_to_an_internal_account(owner, customer):
    response = owner.post(CREATE, entries(additional_project=customer.projects.get().pk))
    assert "additional_project" in response.context["form"].errors


def test_a_serial_number_shared_by_two_products_needs_the_device_name(owner, organization, product, device):
    twin = factories.make_device(factories.make_product(organization, "Gas Meter"), device.serial_number)
    response = owner.post(CREATE, entries(devices=device.serial_number))
    assert response.context["form"].errors["devices"] == [
        "Several devices match AQM26-100000. Enter the device name instead."
    ]
    assert owner.post(CREATE, entries(devices=twin.device_name)).status_code == 302
    edit = owner.get(reverse("claims:claim_profile_edit", args=[ClaimProfile.objects.get().pk]))
    assert edit.context["form"]["devices"].value() == twin.device_name


@pytest.mark.parametrize("fields", [{"status": DeviceStatus.SCRAPPED}, {"archived_at": timezone.now()}])
def test_archived_and_scrapped_devices_are_refused(owner, device, fields):
    Device.objects.filter(pk=device.pk).update(**fields)
    response = owner.post(CREATE, entries(devices=device.serial_number))
    assert response.context["form"].errors["devices"] == ["Archived or scrapped: AQM26-100000."]


def test_each_device_of_a_product_gets_a_code(owner, product, make_devices):
    devices = make_devices(3)
    owner.post(CREATE, entries(scope="unit", product=product.pk, devices="ignored"))
    profile = ClaimProfile.objects.get()
    assert set(profile.codes.values_list("device", flat=True)) == {device.pk for device in devices}
    assert not profile.resources.exists()


def test_the_product_is_ignored_if_one_code_is_for_all(owner, product, device):
    owner.post(CREATE, entries(product=product.pk))
    profile = ClaimProfile.objects.get()
    assert (profile.product, profile.codes.get().device) == (None, None)


def test_a_link_can_preselect_the_product(owner, product):
    form = owner.get(f"{CREATE}?product={product.pk}").context["form"]
    assert (form["scope"].value(), form["product"].value()) == ("unit", str(product.pk))
    for nonsense in ("?product=x", "?product=" + "9" * 40, "?scope=%00", "?scope=nonsense"):
        assert owner.get(CREATE + nonsense).status_code in {200, 400}


def test_an_empty_form_is_refused_without_an_error(owner):
    response = owner.post(CREATE, {})
    assert response.status_code == 422
    assert {"name", "scope", "grant"} <= set(response.context["form"].errors)


# Editing


def test_an_unchanged_form_changes_nothing(owner, organization, device, bob):
    profile = worlds.make_link_profile(
        organization,
        device,
        documents=[("Manual", "https://northlake.example/m")],
        max_claims=5,
        valid_from=datetime(2026, 3, 1, 8, tzinfo=UTC),
        form=[{"name": "a", "label": "A", "required": True}],
    )
    worlds.add_member(profile, Member.objects.get(user=bob), "admin")
    url = reverse("claims:claim_profile_edit", args=[profile.pk])
    before = (ClaimProfile.objects.values().get(), list(profile.resources.values()), list(profile.members.values()))
    assert owner.post(url, as_sent(owner.get(url))).status_code == 302
    assert (
        ClaimProfile.objects.values().get(),
        list(profile.resources.values()),
        list(profile.members.values()),
    ) == before
    assert not Event.objects.exists()


def test_an_edit_is_logged_field_by_field(owner, organization, device, bob):
    profile = worlds.make_link_profile(organization, device)
    url = reverse("claims:claim_profile_edit", args=[profile.pk])
    sent = as_sent(owner.get(url)) | {
        "name": "South pilot",
        "max_claims": "7",
        "devices": "",
        "documents-0-title": "Manual",
        "documents-0-link": "https://northlake.example/m",
        "members-0-member": Member.objects.get(user=bob).pk,
        "members-0-role": "admin",
    }
    owner.post(url, sent)
    profile.refresh_from_db()
    assert (profile.name, profile.name_key, profile.slug, profile.max_claims, profile.version) == (
        "South pilot",
        "south pilot",
        "north-pilot",
        7,
        2,
    )
    assert worlds.event("claim_profile.edited").data == {
        "name": ["North pilot", "South pilot"],
        "max_claims": [None, 7],
        "devices": ["AQM26-100000", ""],
        "documents": ["", "Manual (https://northlake.example/m)"],
        "additional_members": ["", "Bob Adeyemi (admin)"],
    }
    assert profile.codes.get().version == 1


def test_concurrent_edits_are_reported_and_nothing_is_lost(owner, organization):
    profile = worlds.make_link_profile(organization)
    url = reverse("claims:claim_profile_edit", args=[profile.pk])
    mine, theirs = as_sent(owner.get(url)), as_sent(owner.get(url))
    document = {"documents-0-title": "Manual", "documents-0-link": "https://northlake.example/m"}
    assert owner.post(url, theirs | {"name": "Theirs", "max_claims": "5"} | document).status_code == 302
    other = {"documents-0-title": "Poster", "documents-0-link": "https://northlake.example/p"}
    response = owner.post(url, mine | {"name": "Mine", "description": "Long and thought over."} | other)
    assert response.status_code == 409
    form = response.context["form"]
    assert form.errors["name"] == ["Now: Theirs · Yours: Mine"]
    assert form.non_field_errors() == [
        "Documents. Now: Manual, https://northlake.example/m · Yours: Poster, https://northlake.example/p",
        "Someone else changed this while you were editing it. Nothing is saved yet. Compare both values below, then "
        "save again to keep yours.",
    ]
    assert set(form.errors) == {"name", "__all__"}
    page = response.content.decode()
    assert "Long and thought over." in page
    profile.refresh_from_db()
    assert (profile.name, profile.description, profile.version) == ("Theirs", "", 2)
    again = as_sent(response)
    # The form also contains what only the other person changed.
    assert again["max_claims"] == "5"
    assert owner.post(url, again).status_code == 302
    profile.refresh_from_db()
    assert (profile.name, profile.max_claims, profile.version) == ("Mine", 5, 3)
    assert [each.title for each in profile.resources.all()] == ["Poster"]


def test_an_edit_keeps_a_profile_switched_off_that_was_switched_off_meanwhile(owner, organization, by):
    profile = worlds.make_link_profile(organization)
    url = reverse("claims:claim_profile_edit", args=[profile.pk])
    sent = as_sent(owner.get(url))
    claim_profiles.disable(profile, by=by)
    answer = owner.post(url, sent | {"name": "Renamed"}, follow=True)
    profile.refresh_from_db()
    assert (profile.name, profile.is_enabled) == ("Renamed", False)
    assert "Someone else changed this in the meantime: Enabled. Their change was kept." in answer.content.decode()


def test_an_edit_without_the_pages_hidden_fields_is_refused(owner, organization):
    profile = worlds.make_link_profile(organization)
    response = owner.post(reverse("claims:claim_profile_edit", args=[profile.pk]), entries(name="Renamed"))
    assert response.status_code == 422
    profile.refresh_from_db()
    assert profile.name == "North pilot"


def test_a_limit_below_the_number_of_claims_is_refused(owner, organization, customer, dana, actor, by):
    profile = worlds.make_link_profile(organization, max_claims=5)
    other = factories.make_customer(organization, "Second")
    for claimer in (customer, other):
        claims.redeem(profile.codes.get(), customer=claimer, by=actor(dana), host="localhost")
    url = reverse("claims:claim_profile_edit", args=[profile.pk])
    response = owner.post(url, as_sent(owner.get(url)) | {"max_claims": "1"})
    assert response.context["form"].errors["max_claims"] == [
        "It has already been claimed 2 times. Enter at least that number, or disable the profile to stop claims."
    ]
    with pytest.raises(Refused) as refusal:
        claim_profiles.edit(profile, version=1, by=by, max_claims=1)
    assert refusal.value.code == "below_count"
    assert owner.post(url, as_sent(owner.get(url)) | {"max_claims": "2"}).status_code == 302
    profile.refresh_from_db()
    assert (profile.max_claims, profile.claim_count, profile.state) == (2, 2, "used_up")


def test_the_database_refuses_invalid_profiles(organization, product):
    profile = worlds.make_link_profile(organization)
    now = timezone.now()
    for fields in (
        {"max_claims": 1, "claim_count": 2},
        {"max_claims": 0},
        {"product": product},
        {"valid_from": now, "valid_until": now},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ClaimProfile.objects.filter(pk=profile.pk).update(**fields)


def test_scope_and_product_are_fixed_once_codes_exist(owner, product, device, by):
    profile = worlds.make_unit_profile(product)
    url = reverse("claims:claim_profile_edit", args=[profile.pk])
    page = owner.get(url)
    assert "Codes already exist" in page.content.decode()
    owner.post(url, as_sent(page) | {"scope": "link", "product": "", "name": "Renamed"})
    profile.refresh_from_db()
    assert (profile.name, profile.scope, profile.product) == ("Renamed", "unit", product)
    with pytest.raises(Refused) as refusal:
        claim_profiles.edit(profile, version=2, by=by, scope="link", product=None)
    assert refusal.value.code == "codes_exist"


def test_a_profile_without_codes_can_change_its_scope(owner, product, organization):
    profile = worlds.make_unit_profile(None, organization=organization)
    url = reverse("claims:claim_profile_edit", args=[profile.pk])
    assert owner.post(url, as_sent(owner.get(url)) | {"scope": "link"}).status_code == 302
    profile.refresh_from_db()
    assert (profile.scope, profile.codes.count()) == ("link", 1)


def test_answers_keep_their_names_when_a_question_is_reworded(owner, organization):
    profile = worlds.make_link_profile(organization, form=[{"name": "site", "label": "Site", "required": False}])
    url = reverse("claims:claim_profile_edit", args=[profile.pk])
    owner.post(url, as_sent(owner.get(url)) | {"questions-0-label": "Where is it?"})
    profile.refresh_from_db()
    assert profile.form == [{"name": "site", "label": "Where is it?", "required": False}]


def test_an_archived_product_stays_in_the_form_of_its_profile(owner, product, device):
    profile = worlds.make_unit_profile(product)
    product.archived_at = timezone.now()
    product.save(update_fields=["archived_at"])
    url = reverse("claims:claim_profile_edit", args=[profile.pk])
    assert owner.post(url, as_sent(owner.get(url)) | {"name": "Renamed"}).status_code == 302
    profile.refresh_from_db()
    assert (profile.name, profile.product) == ("Renamed", product)


# The switch


def test_one_click_switches_a_profile_off_and_on(owner, organization):
    profile = worlds.make_link_profile(organization)
    for action, on in [("disable", False), ("disable", False), ("enable", True)]:
        response = owner.post(reverse(f"claims:claim_profile_{action}", args=[profile.pk]))
        assert response.status_code == 302
        profile.refresh_from_db()
        assert profile.is_enabled is on
    told = Event.objects.order_by("pk").values_list("kind", "data")
    assert list(told) == [
        ("claim_profile.disabled", {"is_enabled": [True, False]}),
        ("claim_profile.enabled", {"is_enabled": [False, True]}),
    ]
    assert profile.version == 3


def test_a_get_request_switches_nothing(owner, organization):
    profile = worlds.make_link_profile(organization)
    assert owner.get(reverse("claims:claim_profile_disable", args=[profile.pk])).status_code == 405
    profile.refresh_from_db()
    assert profile.is_enabled


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "enabled"),
        ({"is_enabled": False, "max_claims": 1, "claim_count": 1}, "disabled"),
        ({"max_claims": 1, "claim_count": 1}, "used_up"),
        ({"valid_until": timezone.now() - timedelta(1)}, "expired"),
        ({"valid_from": timezone.now() + timedelta(1)}, "not_yet"),
        ({"valid_from": timezone.now() - timedelta(1)}, "enabled"),
    ],
)
def test_the_state_says_whether_a_profile_can_be_claimed(organization, fields, state):
    assert ClaimProfile(organization=organization, **fields).state == state


# Permissions


@pytest.mark.parametrize("role", ["fulfilment", "support", "viewer"])
def test_only_people_who_may_edit_profiles_can_create_edit_and_switch_them(client_for, organization, role):
    profile, client = worlds.make_link_profile(organization), client_for(role)
    before = ClaimProfile.objects.values().get()
    answers = [client.post(CREATE, entries(slug="new"))]
    answers += [
        client.post(reverse(f"claims:claim_profile_{verb}", args=[profile.pk]), {"name": "x", "reason": "x"})
        for verb in ("edit", "enable", "disable", "replace_code")
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert ClaimProfile.objects.values().get() == before
    assert profile.codes.get().version == 1
    assert not Event.objects.exists()


def test_another_organization_cannot_find_the_profile(client_for, charlie, organization):
    profile, client = worlds.make_link_profile(organization), client_for(charlie)
    for verb in ("detail", "edit", "claims", "replace_code"):
        assert client.get(reverse(f"claims:claim_profile_{verb}", args=[profile.pk])).status_code == 404
    for verb in ("edit", "enable", "disable", "replace_code"):
        assert (
            client.post(reverse(f"claims:claim_profile_{verb}", args=[profile.pk]), {"reason": "x"}).status_code == 404
        )
    assert list(client.get(LIST).context["page"].rows) == []
    assert profile.codes.get().version == 1


# The list


def test_the_list_shows_the_figures_of_each_profile(owner, organization, product):
    at = timezone.now()
    worlds.make_link_profile(organization, max_claims=1000, last_claimed_at=at)
    worlds.make_unit_profile(product, grant="access", is_enabled=False)
    page = owner.get(LIST).content.decode()
    assert [row.name for row in owner.get(LIST).context["page"].rows] == ["North pilot", "Units"]
    for text in (
        "One shared code",
        "One code per Aqua Meter",
        "Ownership",
        "Access",
        "Enabled",
        "Disabled",
        '0 <span class="of">of 1,000</span>',
    ):
        assert text in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Alpha", "Beta", "Gamma"]),
        ("?sort=-name", ["Gamma", "Beta", "Alpha"]),
        ("?sort=-added", ["Gamma", "Beta", "Alpha"]),
        ("?q=bE", ["Beta"]),
        ("?q=third", ["Gamma"]),
        ("?q=%25", []),
        ("?scope=unit", ["Beta"]),
        ("?grant=access", ["Gamma"]),
        ("?state=disabled", ["Alpha"]),
        ("?state=enabled&scope=link", ["Gamma"]),
        ("?scope=nonsense", []),
        ("?sort=nonsense", ["Alpha", "Beta", "Gamma"]),
        ("?cursor=nonsense", ["Alpha", "Beta", "Gamma"]),
    ],
)
def test_the_list_can_be_filtered_and_sorted(owner, organization, query, names):
    worlds.make_link_profile(organization, name="Alpha", slug="first", is_enabled=False)
    worlds.make_unit_profile(None, organization=organization, name="Beta", slug="second")
    worlds.make_link_profile(organization, name="Gamma", slug="third", grant="access")
    assert [row.name for row in owner.get(LIST + query).context["page"].rows] == names


def test_the_list_takes_a_fixed_number_of_queries(owner, organization, django_assert_max_num_queries):
    for number in range(60):
        worlds.make_link_profile(organization, name=f"P{number:02d}", slug=f"p{number}")
    owner.get(LIST)
    with django_assert_max_num_queries(8):
        assert len(owner.get(LIST).context["page"].rows) == 50


def test_an_empty_list_says_what_to_do_next(owner, client_for):
    assert "New claim profile" in owner.get(LIST).content.decode()
    assert "A claim profile is an offer with a QR code" in owner.get(LIST).content.decode()
    assert CREATE not in client_for("viewer").get(LIST).content.decode()
    assert "No claim profiles match" in owner.get(f"{LIST}?q=x").content.decode()


def test_the_list_is_exported_with_its_filters(owner, organization, product):
    worlds.make_link_profile(organization, name="=cmd()", max_claims=5)
    worlds.make_unit_profile(product)
    url = reverse("claims:claim_profile_export")
    lines = b"".join(owner.get(f"{url}?scope=link").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("name,identifier,codes,gives,product,state,claims,max_claims")
    assert lines[1].startswith("'=cmd(),north-pilot,One shared code,Ownership,,Enabled,0,5,")
    assert len(lines) == 2
    book = openpyxl.load_workbook(BytesIO(b"".join(owner.get(f"{url}?format=xlsx").streaming_content)))
    assert [row[0] for row in book.active.values] == ["name", "Units", "=cmd()"]


def test_people_without_export_permission_get_no_file(client_for):
    assert client_for("viewer").get(reverse("claims:claim_profile_export")).status_code == 403


# The detail page


def test_the_detail_page_counts_scans_sign_ins_claims_and_refusals(owner, organization, device, customer, dana, actor):
    profile = worlds.make_link_profile(organization, device, max_claims=1000)
    code = profile.codes.get()
    for _each in range(3):
        steps.record(code, Step.SCAN)
    steps.record(code, Step.SIGN_IN)
    steps.record(code, Step.REFUSAL, cause="already_owned")
    steps.record(code, Step.REFUSAL, cause="already_owned")
    steps.record(code, Step.REFUSAL, cause="some_new_cause")
    claims.redeem(code, customer=customer, by=actor(dana), host="localhost")
    context = owner.get(profile.get_absolute_url()).context
    funnel = context["funnel"]
    assert (funnel.scans, funnel.sign_ins, funnel.claims, funnel.refused) == (3, 1, 1, 3)
    assert context["refusals"] == [("Device owned by another customer", 2), ("Some new cause", 1)]
    assert [(c.customer, c.user) for c in context["claims"]] == [(customer, dana)]
    page = owner.get(profile.get_absolute_url()).content.decode()
    for text in (
        '1 <span class="of">of 1,000</span>',
        device.serial_number,
        '<span class="end">ownership',
        customer.name,
        "Disable",
    ):
        assert text in page


def test_the_funnel_takes_one_query(organization, django_assert_num_queries):
    profile = worlds.make_link_profile(organization)
    steps.record(profile.codes.get(), Step.SCAN)
    with django_assert_num_queries(1):
        assert ClaimStep.objects.filter(profile=profile).funnel().scans == 1


def test_claims_by_day_use_the_readers_time_zone(organization, customer, dana, actor, settings):
    profile = worlds.make_link_profile(organization)
    # A quarter to midnight in UTC is already the next day in Berlin.
    at = datetime(2026, 6, 10, 23, 45, tzinfo=UTC)
    claims.redeem(profile.codes.get(), customer=customer, by=actor(dana), host="localhost", at=at)
    now = datetime(2026, 6, 12, 12, tzinfo=UTC)
    for zone, day in [("UTC", 10), ("Europe/Berlin", 11)]:
        with timezone.override(zone):
            chart = by_day(Claim.objects.all(), now=now)
        assert [bar.day.day for bar in chart.bars if bar.number] == [day]
        assert (len(chart.bars), chart.bars[-1].is_today, chart.total) == (30, True, 1)


def test_the_page_has_no_inline_style_or_script(owner, organization, device):
    page = owner.get(worlds.make_link_profile(organization, device).get_absolute_url()).content.decode()
    assert "style=" not in page
    assert "<style" not in page
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("role", "sees"), [("owner", True), ("fulfilment", True), ("support", True), ("viewer", False)]
)
def test_only_people_who_may_see_codes_see_them(client_for, organization, device, product, role, sees):
    profile, unit = worlds.make_link_profile(organization), worlds.make_unit_profile(product)
    link, typed = printed.label(profile.codes.get()).link, printed.label(profile.codes.get()).typed
    client = client_for(role)
    page = client.get(profile.get_absolute_url()).content.decode()
    assert (link in page, typed in page, "<path d=" in page) == (sees, sees, sees)
    label = printed.label(unit.codes.get())
    for url in (reverse("claims:claim_profile_units", args=[unit.pk]), device.get_absolute_url()):
        text = client.get(url).content.decode()
        assert (label.typed in text) is sees
        assert label.link in text if sees and "devices" in url else label.link not in text


def test_an_offer_without_contents_is_pointed_out(owner, organization, device):
    empty, full = (
        worlds.make_link_profile(organization, documents=[]),
        worlds.make_link_profile(organization, device, slug="full"),
    )
    assert "Nothing yet: no devices or documents are listed." in owner.get(empty.get_absolute_url()).content.decode()
    assert "Nothing yet" not in owner.get(full.get_absolute_url()).content.decode()


def test_a_code_of_a_lost_key_can_be_replaced_and_does_not_break_the_page(owner, organization, settings):
    profile = worlds.make_link_profile(organization)
    keys = settings.CLAIM_KEYS
    settings.CLAIM_KEYS = {"t9": b"9" * 32}
    assert "This code can't be shown" in owner.get(profile.get_absolute_url()).content.decode()
    assert owner.get(reverse("claims:claim_profile_qr", args=[profile.pk, "png"])).status_code == 409
    settings.CLAIM_KEYS = keys


def test_replacing_a_code_needs_a_reason(owner, organization):
    profile = worlds.make_link_profile(organization)
    url = reverse("claims:claim_profile_replace_code", args=[profile.pk])
    assert owner.get(url).status_code == 200
    assert owner.post(url, {"reason": " "}).status_code == 422
    assert profile.codes.get().version == 1
    response = owner.post(url, {"reason": "Posted in a forum"})
    assert (response.status_code, response.url) == (302, profile.get_absolute_url())
    assert profile.codes.get().version == 2
    assert worlds.event("claim_profile.code_replaced").data == {"note": "Posted in a forum"}


# The claims


def test_the_claims_of_a_profile_are_listed_newest_first(
    owner, product, make_devices, customer, dana, actor, organization
):
    profile = worlds.make_unit_profile(product, form=[{"name": "site", "label": "Site", "required": False}])
    first, second = make_devices(2)
    claim_codes.make_for_devices(profile, [first.pk, second.pk])
    for device in (first, second):
        claims.redeem(
            profile.codes.get(device=device),
            customer=customer,
            by=actor(dana),
            host="localhost",
            answers={"site": f"Mill {device.pk}"},
        )
    response = owner.get(reverse("claims:claim_profile_claims", args=[profile.pk]))
    assert [claim.given[0]["label"] for claim in response.context["page"].rows] == [
        second.serial_number,
        first.serial_number,
    ]
    page = response.content.decode()
    assert f"Site: Mill {first.pk}" in page
    assert customer.get_absolute_url() in page


def test_the_claims_of_a_profile_take_a_fixed_number_of_queries(
    owner, organization, dana, actor, django_assert_max_num_queries
):
    profile = worlds.make_link_profile(organization)
    for number in range(5):
        claims.redeem(
            profile.codes.get(),
            customer=factories.make_customer(organization, f"C{number}"),
            by=actor(dana),
            host="localhost",
        )
    url = reverse("claims:claim_profile_claims", args=[profile.pk])
    owner.get(url)
    with django_assert_max_num_queries(8):
        owner.get(url)


# Elsewhere


def test_the_overview_and_the_customers_page_show_claims(rf, organization, device, customer, dana, actor, alice):
    request = rf.get("/")
    request.user, request.actor = alice, actor(alice)
    assert "No claims yet" in panels.overview(request, None)
    assert panels.customer_claims(request, customer) == ""
    claims.redeem(
        worlds.make_link_profile(organization, device).codes.get(), customer=customer, by=actor(dana), host="x"
    )
    assert "1 claim in the last 30 days" in panels.overview(request, None)
    assert device.serial_number in panels.customer_claims(request, customer)


def test_people_of_another_organization_see_no_claims_in_panels(
    rf, organization, device, customer, dana, actor, charlie
):
    claims.redeem(
        worlds.make_link_profile(organization, device).codes.get(), customer=customer, by=actor(dana), host="x"
    )
    request = rf.get("/")
    request.user, request.actor = charlie, actor(charlie)
    assert customer.name not in panels.overview(request, None)
    assert panels.customer_claims(request, customer) == ""


@pytest.mark.parametrize(("text", "rank"), [("North pilot", 0), ("NORTH-PILOT", 0), ("nor", 1), ("north-p", 1)])
def test_search_finds_a_profile_by_name_or_identifier(by, organization, text, rank):
    profile = worlds.make_link_profile(organization)
    assert [(hit.title, hit.rank, hit.url) for hit in search.find(by, text, 5)] == [
        ("North pilot", rank, profile.get_absolute_url())
    ]


def test_search_opens_the_device_of_a_scanned_label_and_the_profile_of_a_scanned_link(
    by, organization, device, product, actor, charlie
):
    link, unit = worlds.make_link_profile(organization), worlds.make_unit_profile(product)
    for code, url in [(link.codes.get(), link.get_absolute_url()), (unit.codes.get(), device.get_absolute_url())]:
        label = printed.label(code)
        for text in (label.canonical, label.link, label.typed, label.typed.lower().replace("-", "")):
            assert [(hit.rank, hit.url) for hit in search.find(by, text, 5)] == [(0, url)]
            assert search.find(actor(charlie), text, 5) == []


def test_text_that_is_not_a_code_is_not_looked_up(by, django_assert_num_queries):
    with django_assert_num_queries(0):
        for text in ("AQM26-100000", "3PVTHASXDR2SX", "https://elsewhere.example/c/", "'; --"):
            assert search._scanned(by, text) == []


def test_addresses_of_codes_are_fixed(organization):
    assert reverse("claims:claim_profile_qr", args=[7, "svg"]) == "/claim-profiles/7/qr.svg"
    assert reverse("claims:unit_code_qr", args=[7, "png"]) == "/devices/7/claim-code.png"
    assert reverse("claims:unit_code_replace", args=[7]) == "/devices/7/claim-code/replace/"
    assert not ClaimCode.objects.exists()
    assert not Project.objects.exists()


def test_creating_codes_after_an_import_preselects_product_and_scope(owner, organization, product, alice):
    import_ = ManifestImport.objects.create(
        organization=organization,
        product=product,
        file_name="a.csv",
        stored_as="none",
        sha256="0" * 64,
        size=1,
        by_label="Alice",
        applied_at=timezone.now(),
        outcome={"created": 1, "by": "Alice"},
        summary={"rows": 1},
    )
    address = f"{reverse('claims:claim_profile_create')}?product={product.pk}"
    assert address in owner.get(import_.get_absolute_url()).content.decode()
    form = owner.get(address).context["form"]
    chosen = {name: str(form[name].value()) for name in ("scope", "product", "name")}
    assert chosen == {"scope": "unit", "product": str(product.pk), "name": product.name}


@pytest.mark.parametrize("fields", [{}, {"grant": "access"}])
def test_a_profile_that_grants_nothing_says_so_and_cannot_be_claimed(owner, organization, fields):
    profile = worlds.make_link_profile(organization, documents=[], **fields)
    assert ClaimProfile.objects.with_state().get().state == "empty"
    for address in ("/claim-profiles/", profile.get_absolute_url()):
        assert "Nothing to claim" in owner.get(address).content.decode()
    with pytest.raises(Refused) as refusal:
        offers.check(offers.of(profile.codes.get()), host="localhost")
    assert refusal.value.code == "gives_nothing"


def test_a_profile_with_an_owned_device_says_that_it_cannot_be_claimed(
    owner, organization, make_devices, customer, alice
):
    free, taken = make_devices(2)
    profile = worlds.make_link_profile(organization, free, taken)
    assert ClaimProfile.objects.with_state().get().state == "enabled"
    ownership.assign([taken.pk], customer=customer, by=factories.actor_of(alice))
    assert ClaimProfile.objects.with_state().get().state == "blocked"
    assert "Can’t be claimed" in owner.get("/claim-profiles/").content.decode()
    page = owner.get(profile.get_absolute_url()).content.decode()
    assert "This can’t be claimed now" in page


@pytest.mark.parametrize(
    ("grant", "kind", "state"),
    [("access", "internal", "enabled"), ("access", "company", "blocked"), ("ownership", "internal", "blocked")],
)
def test_whether_a_profile_is_blocked_depends_on_its_grant_and_the_owners(
    organization, device, alice, grant, kind, state
):
    holder = factories.make_customer(organization, "Holder", kind=kind)
    worlds.make_link_profile(organization, device, grant=grant)
    ownership.assign([device.pk], customer=holder, by=factories.actor_of(alice))
    assert ClaimProfile.objects.with_state().get().state == state


def test_a_customer_with_one_of_several_devices_learns_that_the_rest_is_not_granted(
    organization, make_devices, customer, alice
):
    mine, other = make_devices(2)
    profile = worlds.make_link_profile(organization, mine, other)
    ownership.assign([mine.pk], customer=customer, by=factories.actor_of(alice))
    with pytest.raises(Refused, match="this code can only be claimed as a whole") as refusal:
        offers.check(offers.of(profile.codes.get()), host="localhost", customer=customer)
    assert refusal.value.code == "already_yours"


def test_the_funnel_and_the_chart_cover_the_same_30_days(owner, organization, customer):
    profile = worlds.make_link_profile(organization)
    now = timezone.now()
    for days, number in ((2, 3), (29, 1), (31, 7)):
        for _each in range(number):
            ClaimStep.objects.create(profile=profile, step="scan", at=now - timedelta(days=days))
    funnel = owner.get(profile.get_absolute_url()).context["funnel"]
    assert funnel.scans == 4


def test_the_devices_card_refreshes_while_codes_are_created_and_links_to_printing(owner, organization, device, product):
    profile = worlds.make_unit_profile(product)
    page = owner.get(profile.get_absolute_url()).content.decode()
    assert "every 2s" not in page
    assert f"{reverse('claims:label_sheet_create')}?claim_profile={profile.pk}" in page
    Operation.objects.create(
        organization=organization,
        handler="claim_code.create",
        title="Codes",
        permission="profile.edit",
        by_label="Alice",
        state="running",
        payload={"profile": profile.pk},
    )
    assert 'hx-trigger="every 2s"' in owner.get(profile.get_absolute_url()).content.decode()
