"""Redeeming a code: what it grants, what is refused, and that a refusal changes nothing."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from claims.models import Claim, ClaimCode, ClaimProfile, Grant
from claims.profiles.actions import codes as claim_codes
from claims.redemption import offers
from claims.redemption.actions import redemption as actions
from console.errors import Refused
from console.models import Event, Member, OrganizationDomain
from customers.models import CustomerKind, CustomerUser, Project, ProjectMember
from devices import ledger
from devices.actions import devices, ownership
from devices.acts import Act
from devices.models import Device, DeviceStatus, Ownership, SharedAccess
from tests import factories
from tests.claims import worlds

pytestmark = pytest.mark.django_db
HOST = "localhost"


@pytest.fixture
def redeem(customer, dana, actor):
    """Dana redeems a code for her customer, or somebody else for theirs."""

    def act(code, *, customer=customer, by=dana, host=HOST, **more) -> Claim:
        return actions.redeem(code, customer=customer, by=actor(by), host=host, **more)

    return act


@pytest.fixture
def refused(redeem):
    """Check that redeeming raises Refused and changes nothing, and return the code of the refusal."""

    def act(code, **more) -> str:
        before = _state()
        with pytest.raises(Refused) as refusal:
            redeem(code, **more)
        assert _state() == before
        assert refusal.value.sentence.endswith(".")
        return refusal.value.code

    return act


def _state() -> list:
    return [
        list(Claim.objects.order_by("pk").values()),
        list(ClaimProfile.objects.order_by("pk").values()),
        list(Ownership.objects.order_by("pk").values()),
        list(SharedAccess.objects.order_by("pk").values()),
        list(Device.objects.order_by("pk").values()),
        list(ProjectMember.objects.order_by("pk").values()),
        list(ClaimCode.objects.order_by("pk").values()),
        Event.objects.count(),
    ]


def _code(profile: ClaimProfile, device: Device | None = None) -> ClaimCode:
    return profile.codes.get(device=device)


# What it grants


def test_the_code_of_a_device_grants_that_device_and_no_other(product, make_devices, customer, dana, redeem):
    mine, other = make_devices(2)
    profile = worlds.make_unit_profile(product)
    at = timezone.now()
    claim = redeem(_code(profile, mine), at=at)
    assert (claim.customer, claim.user, claim.project, claim.is_unit) == (customer, dana, customer.projects.get(), True)
    assert claim.given == [{"kind": "device", "id": mine.pk, "label": mine.serial_number, "product": "Aqua Meter"}]
    span = Ownership.objects.get()
    assert (span.device, span.customer, span.started_at, span.ended_at) == (mine, customer, at, None)
    assert (span.start_reason, span.start_evidence, span.started_by) == ("claim", f"claim:{claim.pk}", str(dana))
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.status, mine.customer, other.status, other.customer) == ("owned", customer, "in_stock", None)
    profile.refresh_from_db()
    assert (profile.claim_count, profile.last_claimed_at) == (1, at)


def test_a_link_grants_everything_listed(organization, make_devices, customer, redeem):
    first, second = make_devices(2)
    manual = ("Manual", "https://northlake.example/manual.pdf")
    profile = worlds.make_link_profile(organization, first, second, documents=[manual])
    claim = redeem(_code(profile))
    assert [thing.get("label") or (thing["title"], thing["link"]) for thing in claim.given] == [
        first.serial_number,
        second.serial_number,
        manual,
    ]
    assert set(Ownership.objects.open().values_list("device", "customer")) == {
        (first.pk, customer.pk),
        (second.pk, customer.pk),
    }
    assert (claim.is_unit, claim.code_version) == (False, 1)


def test_a_profile_without_devices_grants_its_documents(organization, redeem):
    profile = worlds.make_link_profile(organization, documents=[("Manual", "https://northlake.example/m")])
    assert redeem(_code(profile)).given == [
        {"kind": "document", "title": "Manual", "link": "https://northlake.example/m"}
    ]


def test_access_lets_several_customers_see_a_device_without_changing_its_owner(
    organization, device, customer, other_customer, erin, redeem
):
    profile = worlds.make_link_profile(organization, device, grant=Grant.ACCESS)
    redeem(_code(profile))
    redeem(_code(profile), customer=other_customer, by=erin)
    shares = SharedAccess.objects.open().order_by("pk").values_list("device", "customer", "project__customer")
    assert list(shares) == [(device.pk, c.pk, c.pk) for c in (customer, other_customer)]
    device.refresh_from_db()
    assert (device.customer, Ownership.objects.count()) == (None, 0)
    assert Event.objects.filter(kind="device.access_given", subject_id=device.pk).count() == 2


def test_access_is_granted_to_devices_of_the_organization_but_not_of_a_customer(
    organization, product, device, other_customer, erin, alice, customer, actor, redeem, refused
):
    fleet = factories.make_customer(organization, "Northlake fleet", kind=CustomerKind.INTERNAL)
    profile = worlds.make_unit_profile(product, grant=Grant.ACCESS)
    owner = factories.make_customer(organization, "Nord")
    redeem(_code(profile, device), customer=other_customer, by=erin)
    ownership.assign([device.pk], customer=fleet, by=actor(alice))
    redeem(_code(profile, device))
    assert [share.customer for share in SharedAccess.objects.open()] == [customer]
    project = owner.projects.get()
    ledger.transfer([device.pk], Act(actor(alice)), source=fleet, customer=owner, project=project)
    # The transfer raised the version: the new label is refused too.
    profile.refresh_from_db()
    late = factories.make_customer(organization, "Late")
    person = factories.make_person(late, "late@example.com")
    assert refused(_code(profile, device), customer=late, by=person) == "not_kept"
    assert refused(_code(profile, device), customer=owner, by=person) == "already_yours"
    assert not SharedAccess.objects.open().exists()


def test_the_additional_project_sees_every_claimed_device(organization, product, device, redeem):
    fleet = factories.make_customer(organization, "Northlake fleet", kind=CustomerKind.INTERNAL)
    project = Project.objects.get(customer=fleet)
    profile = worlds.make_unit_profile(product, additional_project=project)
    claim = redeem(_code(profile, device))
    share = SharedAccess.objects.get()
    assert (share.device, share.customer, share.project, share.ended_at) == (device, fleet, project, None)
    assert share.start_evidence == f"claim:{claim.pk}"


def test_the_additional_project_gets_no_access_to_its_own_customers_devices(
    organization, product, device, redeem, member
):
    fleet = factories.make_customer(organization, "Northlake fleet", kind=CustomerKind.INTERNAL)
    profile = worlds.make_unit_profile(product, additional_project=fleet.projects.get())
    redeem(_code(profile, device), customer=fleet, by=factories.make_person(fleet, "fleet@northlake.example"))
    assert not SharedAccess.objects.exists()


def test_additional_members_are_those_listed_at_the_time_of_the_claim(
    organization, product, make_devices, alice, bob, customer, redeem
):
    first, second = make_devices(2)
    profile = worlds.make_unit_profile(product)
    worlds.add_member(profile, Member.objects.get(user=bob), "operator")
    redeem(_code(profile, first))
    row = ProjectMember.objects.get()
    assert (row.project, row.user, row.role) == (customer.projects.get(), bob, "operator")
    profile.members.update(role="admin")
    worlds.add_member(profile, Member.objects.get(user=alice), "viewer")
    assert ProjectMember.objects.get().role == "operator"
    redeem(_code(profile, second))
    assert set(ProjectMember.objects.values_list("user", "role")) == {(bob.pk, "operator"), (alice.pk, "viewer")}


def test_a_member_who_left_is_not_added(product, device, bob, redeem):
    profile = worlds.make_unit_profile(product)
    worlds.add_member(profile, Member.objects.get(user=bob), "admin")
    Member.objects.filter(user=bob).update(removed_at=timezone.now())
    redeem(_code(profile, device))
    assert not ProjectMember.objects.exists()


def test_a_claim_makes_nobody_a_member_of_the_organization(product, device, dana, redeem):
    redeem(_code(worlds.make_unit_profile(product), device))
    assert not Member.objects.filter(user=dana).exists()
    assert CustomerUser.objects.filter(user=dana).count() == 1


def test_a_claim_is_logged_for_the_profile_and_the_device(organization, product, device, customer, dana, redeem):
    profile = worlds.make_unit_profile(product)
    claim = redeem(_code(profile, device))
    made, claimed = worlds.event("claim.created"), worlds.event("device.claimed")
    assert (made.organization, made.subject_kind, made.subject_id) == (organization, "claimprofile", profile.pk)
    assert (made.object_kind, made.object_id, made.actor_id, made.at) == ("customer", customer.pk, dana.pk, claim.at)
    assert made.data == {"given": [device.serial_number], "members": []}
    assert (claimed.organization, claimed.subject_id, claimed.object_id) == (organization, device.pk, customer.pk)


def test_only_answers_to_the_profiles_questions_are_saved(organization, redeem):
    asked = [
        {"name": "site", "label": "Site", "required": True},
        {"name": "floor", "label": "Floor", "required": False},
    ]
    profile = worlds.make_link_profile(organization, form=asked)
    claim = redeem(_code(profile), answers={"site": "  Mill 4 ", "role": "admin"})
    assert claim.answers == {"site": "Mill 4", "floor": ""}


# Redeeming again


@pytest.mark.parametrize("scope", ["link", "unit"])
def test_redeeming_again_returns_the_same_claim_and_counts_nothing(organization, product, device, redeem, scope):
    unit = scope == "unit"
    profile = worlds.make_unit_profile(product) if unit else worlds.make_link_profile(organization, device)
    code = _code(profile, device if unit else None)
    claim = redeem(code)
    before = _state()
    assert redeem(code) == claim
    assert _state() == before


def test_redeeming_again_works_after_the_limit_or_the_end_date(organization, device, redeem):
    profile = worlds.make_link_profile(organization, device, max_claims=1)
    claim = redeem(_code(profile))
    ClaimProfile.objects.update(is_enabled=False, valid_until=timezone.now() - timedelta(days=1))
    assert redeem(_code(profile)) == claim


def test_redeeming_again_after_losing_the_device_is_refused(organization, device, alice, actor, redeem, refused):
    profile = worlds.make_link_profile(organization, device)
    redeem(_code(profile))
    ownership.unclaim([device.pk], reason="returned", by=actor(alice))
    assert refused(_code(profile)) == "claimed_before"


def test_redeeming_access_again_after_it_was_ended_is_refused(organization, device, alice, actor, redeem, refused):
    profile = worlds.make_link_profile(organization, device, grant=Grant.ACCESS)
    redeem(_code(profile))
    ownership.end_shares([SharedAccess.objects.get().pk], reason="left", by=actor(alice))
    assert refused(_code(profile)) == "claimed_before"


def test_one_customer_can_claim_several_devices_of_one_profile(product, make_devices, redeem):
    first, second = make_devices(2)
    profile = worlds.make_unit_profile(product)
    assert redeem(_code(profile, first)) != redeem(_code(profile, second))
    profile.refresh_from_db()
    assert profile.claim_count == 2


def test_the_database_refuses_a_second_claim_of_the_same_offer(organization, redeem):
    claim = redeem(_code(worlds.make_link_profile(organization)))
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.create(
            organization=organization,
            profile=claim.profile,
            code=claim.code,
            code_version=1,
            is_unit=False,
            customer=claim.customer,
            user=claim.user,
            project=claim.project,
        )


# Refusals


def test_the_limit_is_enforced(organization, customer, dana, other_customer, erin, redeem, refused):
    profile = worlds.make_link_profile(organization, max_claims=1)
    redeem(_code(profile))
    assert refused(_code(profile), customer=other_customer, by=erin) == "used_up"


def test_the_limit_is_checked_in_the_update_rather_than_on_what_was_read(organization, redeem, refused, monkeypatch):
    profile = worlds.make_link_profile(organization, max_claims=1)
    monkeypatch.setattr(offers, "check", lambda *args, **kwargs: None)
    ClaimProfile.objects.update(claim_count=1)
    assert refused(_code(profile)) == "changed"
    ClaimProfile.objects.update(claim_count=0)


@pytest.mark.parametrize(
    "change",
    [
        {"is_enabled": False},
        {"version": 2},
        {"valid_until": timezone.now() - timedelta(hours=1)},
        {"valid_from": timezone.now() + timedelta(hours=1)},
    ],
)
def test_a_change_made_after_the_offer_was_read_is_detected_at_the_end(organization, redeem, monkeypatch, change):
    profile = worlds.make_link_profile(organization)
    give = actions._give

    def meanwhile(*args, **kwargs):
        give(*args, **kwargs)
        ClaimProfile.objects.update(**change)

    monkeypatch.setattr(actions, "_give", meanwhile)
    with pytest.raises(Refused) as refusal:
        redeem(_code(profile))
    assert refusal.value.code in {"disabled", "changed", "expired", "not_yet_valid"}
    assert not Claim.objects.exists()


def test_a_code_replaced_while_it_is_redeemed_grants_nothing(organization, device, alice, actor, redeem, monkeypatch):
    profile = worlds.make_link_profile(organization, device)
    give, by = actions._give, actor(alice)

    def meanwhile(*args, **kwargs):
        give(*args, **kwargs)
        claim_codes.replace(profile, reason="photographed", by=by)

    monkeypatch.setattr(actions, "_give", meanwhile)
    with pytest.raises(Refused) as refusal:
        redeem(_code(profile))
    assert refusal.value.code == "replaced"
    assert not Claim.objects.exists()
    assert not Ownership.objects.exists()


def test_a_disabled_profile_is_refused(organization, refused):
    assert refused(_code(worlds.make_link_profile(organization, is_enabled=False))) == "disabled"


def test_the_validity_period_includes_its_start_but_not_its_end(organization, redeem, refused):
    start = timezone.now()
    end = start + timedelta(days=1)
    profile = worlds.make_link_profile(organization, valid_from=start, valid_until=end)
    tick = timedelta(microseconds=1)
    assert refused(_code(profile), at=start - tick) == "not_yet_valid"
    assert refused(_code(profile), at=end) == "expired"
    assert redeem(_code(profile), at=end - tick).at == end - tick


@pytest.mark.parametrize(
    "host",
    ["claim.northlake.example", "CLAIM.Northlake.example", "claim.northlake.example:8443", "claim.northlake.example."],
)
def test_a_code_of_a_domain_is_redeemed_on_that_domain(organization, redeem, host):
    domain = OrganizationDomain.objects.create(organization=organization, host="claim.northlake.example")
    assert redeem(_code(worlds.make_link_profile(organization, domain=domain)), host=host).pk


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "northlake.example",
        "x.claim.northlake.example",
        "claim.northlake.example.evil.example",
        "claim.northlake.example@evil.example",
        "evil.example#claim.northlake.example",
        "claim.northlake.example:80@evil",
        "claim_northlake.example",
        "clаim.northlake.example",
        "[::1]",
        "claim.northlake.example:http",
    ],
)
def test_a_code_of_a_domain_cannot_be_redeemed_elsewhere(organization, refused, host):
    domain = OrganizationDomain.objects.create(organization=organization, host="claim.northlake.example")
    assert refused(_code(worlds.make_link_profile(organization, domain=domain)), host=host) == "wrong_domain"


def test_a_device_of_another_customer_is_refused(product, device, other_customer, alice, actor, refused):
    profile = worlds.make_unit_profile(product)
    ownership.assign([device.pk], customer=other_customer, by=actor(alice))
    assert refused(_code(profile, device)) == "already_owned"


def test_a_device_assigned_to_the_claimant_is_already_theirs(product, device, customer, alice, actor, refused):
    profile = worlds.make_unit_profile(product)
    ownership.assign([device.pk], customer=customer, by=actor(alice))
    assert refused(_code(profile, device)) == "already_yours"


def test_a_link_grants_all_of_its_devices_or_none(organization, make_devices, other_customer, alice, actor, refused):
    first, second, third = make_devices(3)
    profile = worlds.make_link_profile(organization, first, second, third)
    ownership.assign([second.pk], customer=other_customer, by=actor(alice))
    assert refused(_code(profile)) == "already_owned"
    assert list(Ownership.objects.values_list("device", flat=True)) == [second.pk]


def test_a_device_taken_between_check_and_claim_rolls_everything_back(
    organization, make_devices, other_customer, alice, actor, redeem, monkeypatch
):
    first, second = make_devices(2)
    profile, by = worlds.make_link_profile(organization, first, second), actor(alice)
    give = actions._give

    def meanwhile(*args, **kwargs):
        ownership.assign([second.pk], customer=other_customer, by=by)
        give(*args, **kwargs)

    monkeypatch.setattr(actions, "_give", meanwhile)
    with pytest.raises(Refused) as refusal:
        redeem(_code(profile))
    assert refusal.value.code in {"already_owned", "already_yours"}
    assert not Claim.objects.exists()
    assert not Ownership.objects.filter(device=first).exists()


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"status": DeviceStatus.SCRAPPED}, "scrapped"),
        ({"archived_at": timezone.now()}, "archived"),
        ({"status": DeviceStatus.RESERVED}, "reserved"),
        ({"status": DeviceStatus.RETURNED}, "in_quarantine"),
    ],
)
def test_an_unavailable_device_is_refused(product, device, refused, fields, cause):
    profile = worlds.make_unit_profile(product)
    Device.objects.filter(pk=device.pk).update(**fields)
    assert refused(_code(profile, device)) == cause


def test_a_customer_of_another_organization_is_refused(organization, device, other_organization, refused):
    stranger = factories.make_customer(other_organization, "Gale Farm")
    person = factories.make_person(stranger, "gale@farm.example")
    for number, grant in enumerate(Grant.values):
        profile = worlds.make_link_profile(organization, device, grant=grant, slug=f"p{number}")
        assert refused(_code(profile), customer=stranger, by=person) == "wrong_customer"


def test_an_archived_customer_is_refused(organization, device, customer, refused):
    customer.archived_at = timezone.now()
    customer.save(update_fields=["archived_at"])
    assert refused(_code(worlds.make_link_profile(organization, device))) == "customer_archived"


def test_a_missing_answer_is_refused(organization, refused):
    profile = worlds.make_link_profile(organization, form=[{"name": "site", "label": "Site", "required": True}])
    assert refused(_code(profile), answers={"site": "  "}) == "answer_missing"


# When a device comes back


def test_an_unclaimed_device_can_only_be_claimed_with_its_new_label(
    product, device, customer, other_customer, erin, alice, actor, redeem, refused
):
    profile = worlds.make_unit_profile(product)
    old = _code(profile, device)
    label = claim_codes.printed(old)
    redeem(old)
    ownership.unclaim([device.pk], reason="returned", by=actor(alice))
    assert offers.find(label.link) is None
    assert offers.find(label.typed) is None
    assert refused(old, customer=other_customer, by=erin) == "replaced"
    redeem(_code(profile, device), customer=other_customer, by=erin)
    spans = list(Ownership.objects.order_by("pk").values_list("customer", "ended_at"))
    assert spans[0][0] == customer.pk
    assert spans[0][1] is not None
    assert spans[1] == (other_customer.pk, None)


def test_the_former_owner_can_claim_the_device_again_with_its_new_label(
    product, device, customer, alice, actor, redeem
):
    profile = worlds.make_unit_profile(product)
    first = redeem(_code(profile, device))
    ownership.unclaim([device.pk], reason="repair", by=actor(alice))
    second = redeem(_code(profile, device))
    assert (second != first, second.code_version) == (True, 2)
    assert list(Ownership.objects.order_by("pk").values_list("customer", flat=True)) == [customer.pk] * 2


@pytest.mark.parametrize("grant", Grant.values)
def test_a_link_stops_working_when_a_device_it_grants_is_unclaimed(organization, device, customer, alice, actor, grant):
    giving = worlds.make_link_profile(organization, device, grant=grant)
    manual = worlds.make_link_profile(
        organization, slug="manual", documents=[("Manual", "https://northlake.example/m")]
    )
    labels = [claim_codes.printed(_code(profile)) for profile in (giving, manual)]
    ownership.assign([device.pk], customer=customer, by=actor(alice))
    ownership.unclaim([device.pk], reason="returned", by=actor(alice))
    assert offers.find(labels[0].link) is None
    assert offers.find(labels[1].link) == _code(manual)
    assert worlds.event("claim_profile.code_replaced").subject_id == giving.pk


def test_a_transfer_invalidates_the_label_too(product, device, customer, other_customer, alice, actor, redeem):
    profile = worlds.make_unit_profile(product)
    label = claim_codes.printed(_code(profile, device))
    redeem(_code(profile, device))
    ledger.transfer(
        [device.pk], Act(actor(alice)), source=customer, customer=other_customer, project=other_customer.projects.get()
    )
    assert offers.find(label.link) is None
    assert _code(profile, device).version == 2


def test_labels_of_the_other_devices_keep_working(product, make_devices, customer, alice, actor):
    gone, stays = make_devices(2)
    profile = worlds.make_unit_profile(product)
    label = claim_codes.printed(_code(profile, stays))
    ownership.assign([gone.pk, stays.pk], customer=customer, by=actor(alice))
    ownership.unclaim([gone.pk], reason="returned", by=actor(alice))
    assert offers.find(label.link) == _code(profile, stays)
    assert worlds.event("device.code_replaced").subject_id == gone.pk


def test_unclaiming_many_devices_takes_few_queries(product, customer, alice, actor, django_assert_max_num_queries):
    ids = worlds.make_many_devices(product, 1500)
    profile = worlds.make_unit_profile(product)
    by = actor(alice)
    ledger.assign(ids, Act(by), customer=customer, project=customer.projects.get(), reason="assignment")
    # However many there are; on PostgreSQL two queries announce and read the instant.
    with django_assert_max_num_queries(22):
        ledger.release(ids, Act(by), reason="unclaim")
    assert set(profile.codes.values_list("version", flat=True)) == {2}


# New devices


def test_a_device_registered_later_gets_its_code(product, organization, alice, actor):
    profile = worlds.make_unit_profile(product)
    disabled = worlds.make_unit_profile(product, slug="off", is_enabled=False)
    elsewhere = factories.make_product(organization, "Gas Meter")
    device = devices.register(product=product, serial_number="NEW-1", device_name="newdevice1", by=actor(alice))
    other = devices.register(product=elsewhere, serial_number="NEW-2", device_name="newdevice2", by=actor(alice))
    assert set(ClaimCode.objects.values_list("profile", "device")) == {
        (profile.pk, device.pk),
        (disabled.pk, device.pk),
    }
    assert not other.claim_codes.exists()


def test_a_claim_at_the_end_of_the_last_span_starts_where_that_ends(product, device, customer, alice, actor, redeem):
    profile = worlds.make_unit_profile(product)
    at = timezone.now()
    ownership.assign([device.pk], customer=customer, by=actor(alice), at=at)
    ownership.unclaim([device.pk], reason="returned", by=actor(alice), at=at + timedelta(hours=1))
    redeem(_code(profile, device), at=at)
    last = Ownership.objects.get(ended_at=None)
    assert last.started_at == at + timedelta(hours=1)


def test_the_counter_is_the_last_write_of_a_claim(product, device, redeem):
    code = _code(worlds.make_unit_profile(product), device)
    with CaptureQueriesContext(connection) as captured:
        redeem(code)
    writes = [q["sql"] for q in captured if q["sql"].startswith(("INSERT", "UPDATE"))]
    assert "claims_claimprofile" in writes[-1]
    assert sum('UPDATE "claims_claimprofile"' in sql for sql in writes) == 1
