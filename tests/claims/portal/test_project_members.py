"""Additional members of a claim profile: their access starts with the claim and ends with what granted it."""

import multiprocessing
from datetime import timedelta
from functools import partial
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from claims.models import Claim, ClaimCode
from claims.profiles.actions import profiles as claim_profiles
from claims.redemption.actions import redemption as claim_actions
from console.access import system
from console.export import newest_first
from console.models import Event, Member
from console.people.actions import members
from customers.directory import actions as customers
from customers.models import CustomerKind, CustomerUser, ProjectMember
from customers.people.actions import people
from customers.people.roles import actor_for
from customers.projects import ledger_check
from customers.projects.actions import members as project_members
from devices.actions import ownership
from devices.calls import actions as calls
from devices.messages import exports as message_exports
from devices.messages import window as messages
from devices.models import Call, Message
from tests import factories, processes, waiting
from tests.claims import worlds
from tests.extent import extent

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def profile(organization, device, bob):
    """A profile that adds Bob to the project of the claiming customer."""
    profile = worlds.make_unit_profile(None, device, organization=organization)
    worlds.add_member(profile, Member.objects.get(user=bob), "operator")
    return profile


@pytest.fixture
def claim(profile, device, customer, dana):
    """Dana's claim of the device, which adds Bob to her project."""
    return redeem(profile, device, customer, dana)


def redeem(profile, device, customer, person, **more) -> Claim:
    code = ClaimCode.objects.get(profile=profile, device=device)
    return claim_actions.redeem(code, customer=customer, by=factories.actor_of(person), host="localhost", **more)


def publish(device, data, at) -> Message:
    project = device.ownership_spans.get(ended_at=None).project
    return Message.objects.create(
        organization=device.organization, device=device, project=project, name="reading", data=data, at=at
    )


def read(actor, device=None) -> list:
    return sorted(Message.objects.visible_to(actor, device=device).values_list("data", flat=True))


def is_out(client, device, project) -> bool:
    """Return whether every page of the device and the project is gone for the person."""
    found = [
        client.get(f"/portal/devices/{device.pk}/").status_code,
        client.get(f"/portal/devices/{device.pk}/messages/").status_code,
        client.get(f"/portal/devices/{device.pk}/messages/export/").status_code,
        client.get(f"/portal/devices/{device.pk}/calls/").status_code,
        client.get(f"/portal/projects/{project.pk}/").status_code,
        client.get(f"/portal/projects/{project.pk}/messages/").status_code,
        client.get(f"/portal/projects/{project.pk}/messages/export/").status_code,
    ]
    assert len(set(found)) == 1, found
    assert device.serial_number not in client.get("/portal/").content.decode() or found[0] == 200
    return found[0] == 404


# How access starts


def test_a_membership_records_when_it_started_and_by_whom_and_which_claim(claim, bob, dana):
    row = ProjectMember.objects.get()
    assert (row.project, row.user, row.role, row.start_reason) == (claim.project, bob, "operator", "claim")
    assert (row.started_at, row.started_by, row.start_evidence) == (claim.at, str(dana), f"claim:{claim.pk}")
    assert (row.ended_at, row.end_reason) == (None, None)
    event = Event.objects.get(kind="project.member_joined")
    assert (event.subject_label, event.object_id) == (str(bob), claim.customer_id)
    assert event.data == {"project": str(claim.project), "role": "Operator"}


def test_an_existing_member_keeps_the_role_and_gets_no_second_membership(
    claim, profile, bob, customer, dana, make_devices
):
    ProjectMember.objects.update(role="viewer")
    other = make_devices(1)[0]
    worlds.claim_codes.make_for_devices(profile, [other.pk])
    redeem(profile, other, customer, dana)
    assert [row.role for row in ProjectMember.objects.all()] == ["viewer"]
    assert Event.objects.filter(kind="project.member_joined").count() == 1


def test_a_returning_member_gets_a_new_membership_after_the_old_one(claim, bob, by):
    old = ProjectMember.objects.get()
    late = timezone.now() + HOUR
    project_members.end(ProjectMember.objects.all(), by=by, at=late)
    # On a server whose clock is behind.
    (new,) = project_members.let_in(claim.project, [(bob, "viewer")], by=by, at=late - HOUR / 2)
    old.refresh_from_db()
    assert (old.ended_at, new.started_at, new.role) == (late, late, "viewer")
    assert ledger_check.check() == []


def test_a_membership_starts_after_earlier_messages_even_if_the_clock_ran_ahead(
    profile, device, customer, dana, bob, by, make_devices
):
    ahead, (old,) = timezone.now() + 2 * HOUR, make_devices(1)
    ownership.assign([old.pk], customer=customer, by=by)
    publish(old, "before the claim", ahead)
    call = calls.ask(old, kind="variable", name="level", by=factories.actor_of(dana), at=ahead + HOUR)
    # The clock is right again.
    made = redeem(profile, device, customer, dana)
    member = ProjectMember.objects.get()
    assert made.at < ahead < call.asked_at < member.started_at
    kim = actor_for(bob)
    assert read(kim) == read(kim, old) == []
    assert not Call.objects.visible_to(kim).exists()


# How access ends


def test_leaving_the_organization_ends_memberships_in_its_internal_accounts(
    organization, device, customer, other_customer, dana, bob, by, client_for
):
    """An internal account sees what customers claim, as the additional project of the profile."""
    fleet = factories.make_customer(organization, "Fleet", kind=CustomerKind.INTERNAL)
    for account in (fleet, other_customer):
        CustomerUser.objects.create(organization=organization, customer=account, user=bob, role="viewer")
    profile = worlds.make_unit_profile(None, device, organization=organization, additional_project=fleet.projects.get())
    redeem(profile, device, customer, dana)
    publish(device, 1, timezone.now())
    assert read(actor_for(bob)) == [1]
    members.remove(Member.objects.get(user=bob), by=by)
    assert read(actor_for(bob)) == []
    assert client_for(bob).get(f"/portal/devices/{device.pk}/").status_code == 404
    # People of a customer stay that.
    assert actor_for(bob).customers == {other_customer.pk}
    event = Event.objects.get(kind="customer.person_removed")
    assert (event.object_id, event.actor_label) == (fleet.pk, "Alice Kemp")


def test_leaving_the_organization_ends_access_at_once(claim, device, bob, by, customer, product, client_for):
    client = client_for(bob)
    publish(device, 1, timezone.now())
    assert not is_out(client, device, claim.project)
    members.remove(Member.objects.get(user=bob), by=by)
    row = ProjectMember.objects.get()
    assert (row.end_reason, row.ended_by) == ("left", "Alice Kemp")
    assert row.ended_at == Member.objects.get(user=bob).removed_at
    later = factories.make_device(product)
    ownership.assign([later.pk], customer=customer, by=by)
    for seen in (device, later):
        publish(seen, 2, timezone.now())
        assert is_out(client, seen, claim.project)
        assert is_out(client_for(bob), seen, claim.project)
    assert read(actor_for(bob)) == []
    event = Event.objects.get(kind="project.member_ended")
    assert (event.subject_label, event.object_id, event.actor_label) == (str(bob), customer.pk, "Alice Kemp")


def test_a_person_invited_again_does_not_regain_earlier_access(claim, device, bob, by, client_for):
    members.remove(Member.objects.get(user=bob), by=by)
    invitation, _link = members.invite(bob.email, "support", by=by)
    members.accept(invitation, user=bob)
    assert is_out(client_for(bob), device, claim.project)
    assert ProjectMember.objects.open().count() == 0


def test_removing_a_member_from_the_profile_ends_the_access_from_its_claims_only(
    claim, profile, device, bob, by, other_customer, organization, client_for
):
    elsewhere = factories.let_in(other_customer.projects.get(), bob)
    worlds.add_member(profile, Member.objects.get(user=by.user), "viewer")
    claim_profiles.edit(profile, version=profile.version, by=by, members=[(Member.objects.get(user=by.user), "viewer")])
    row = ProjectMember.objects.get(project=claim.project)
    assert (row.end_reason, row.end_note, row.ended_by) == ("profile", "Units", "Alice Kemp")
    assert is_out(client_for(bob), device, claim.project)
    elsewhere.refresh_from_db()
    assert elsewhere.ended_at is None


def test_a_role_changed_in_the_profile_applies_to_later_claims(claim, profile, bob, by):
    claim_profiles.edit(profile, version=profile.version, by=by, members=[(Member.objects.get(user=bob), "viewer")])
    row = ProjectMember.objects.get()
    assert (row.role, row.ended_at) == ("operator", None)


def test_removing_a_person_from_the_customer_ends_their_memberships_in_its_projects(
    claim, device, bob, by, customer, client_for
):
    person = CustomerUser.objects.create(organization=customer.organization, customer=customer, user=bob)
    people.remove(person, by=by)
    assert ProjectMember.objects.get().end_reason == "removed"
    assert is_out(client_for(bob), device, claim.project)


def test_archiving_a_customer_hides_it_from_members_until_it_is_restored(claim, device, bob, by, customer, client_for):
    ownership.unclaim([device.pk], reason="It moves", by=by)
    customers.archive(customer, by=by)
    assert client_for(bob).get(f"/portal/projects/{claim.project_id}/").status_code == 404
    customers.restore(customer, by=by)
    assert client_for(bob).get(f"/portal/projects/{claim.project_id}/").status_code == 200


def test_the_end_of_a_membership_is_logged_once(claim, by):
    rows = ProjectMember.objects.all()
    assert [project_members.end(rows, by=by, note="It is over"), project_members.end(rows, by=by)] == [1, 0]
    assert Event.objects.get(kind="project.member_ended").data["note"] == "It is over"


def test_a_person_who_left_the_organization_cannot_be_added(organization, customer, bob, by):
    Member.objects.filter(user=bob).update(removed_at=timezone.now())
    assert project_members.let_in(customer.projects.get(), [(bob, "admin")], by=by) == []
    assert not ProjectMember.objects.exists()


# What the database and the ledger check refuse


@pytest.mark.parametrize(
    "values",
    [
        {"ended_at": timezone.now() + HOUR},
        {"end_reason": "left"},
        {"ended_at": timezone.now() - HOUR, "end_reason": "left"},
    ],
)
def test_a_span_that_ends_without_a_reason_or_before_it_starts_is_refused(claim, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectMember.objects.update(**values)


def test_a_second_open_membership_is_refused(claim, bob):
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectMember.objects.create(
            organization=claim.organization, project=claim.project, user=bob, role="viewer", started_at=timezone.now()
        )


def test_the_check_reports_members_who_left_and_overlapping_spans(claim, bob):
    row = ProjectMember.objects.get()
    Member.objects.filter(user=bob).update(removed_at=timezone.now())
    (said,) = ledger_check.check()
    assert said == f"Project member {row.pk} is still open, but the person has left the organization that let them in."
    Member.objects.filter(user=bob).update(removed_at=None)
    before = ProjectMember.objects.create(
        organization=row.organization,
        project=row.project,
        user=bob,
        role="viewer",
        end_reason="ended",
        started_at=row.started_at - HOUR,
        ended_at=row.started_at + HOUR,
    )
    (said,) = ledger_check.check()
    assert said == f"Project member {row.pk} begins before the previous one ended."
    ProjectMember.objects.filter(pk=before.pk).update(ended_at=row.started_at)
    assert ledger_check.check() == []


# Existing rows


def test_the_migration_ends_rows_of_people_who_had_left_and_links_the_others_to_their_claim(claim, bob, customer):
    gone = factories.make_member(customer.organization, "viewer", "gone@northlake.example")
    person = factories.make_member(customer.organization, "viewer", "person@northlake.example")
    for user in (gone, person):
        factories.let_in(claim.project, user)
    CustomerUser.objects.create(organization=customer.organization, customer=customer, user=person)
    Member.objects.filter(user__in=[gone, person]).update(removed_at=timezone.now())
    ProjectMember.objects.update(start_evidence="")
    future = ProjectMember.objects.filter(user=gone)
    future.update(started_at=timezone.now() + HOUR)
    import_module("customers.migrations.0004_who_left_reaches_no_project").end_those_who_left(apps, None)
    import_module("claims.migrations.0022_members_of_projects_name_their_claim").name_their_claim(apps, None)
    found = ProjectMember.objects.order_by("pk").values_list("user", "end_reason", "start_evidence")
    evidence = f"claim:{claim.pk}"
    assert list(found) == [(bob.pk, None, evidence), (gone.pk, "left", evidence), (person.pk, None, evidence)]
    assert ledger_check.check() == []


# The window


def test_a_member_reads_messages_from_the_start_of_the_membership_until_its_end(device, customer, dana, bob, by):
    start = timezone.now() - 10 * HOUR
    ownership.assign([device.pk], customer=customer, by=by, at=start)
    project = customer.projects.get()
    (row,) = project_members.let_in(project, [(bob, "viewer")], by=by, at=start + 5 * HOUR)
    tick = timedelta(microseconds=1)
    for n, at in enumerate([start + HOUR, row.started_at - tick, row.started_at, start + 6 * HOUR]):
        publish(device, n, at)
    member, owner = actor_for(bob), actor_for(dana)
    assert read(owner, device) == read(owner) == [0, 1, 2, 3]
    assert read(member, device) == read(member) == [2, 3]
    for since, until, found, is_within in (
        (None, None, [2, 3], True),
        (None, row.started_at, [], False),
        (row.started_at - tick, row.started_at, [], False),
        (row.started_at, row.started_at + tick, [2], True),
    ):
        window = messages.window(member, device, since, until)
        assert (sorted(window.rows.values_list("data", flat=True)), window.is_within) == (found, is_within)
    stale = member
    project_members.end(ProjectMember.objects.all(), by=by)
    assert read(stale, device) == read(stale) == read(actor_for(bob)) == []


def test_a_device_that_left_the_project_earlier_is_not_visible_to_a_member(device, customer, dana, bob, by, client_for):
    ownership.assign([device.pk], customer=customer, by=by, at=timezone.now() - 2 * HOUR)
    publish(device, 1, timezone.now() - HOUR)
    ownership.unclaim([device.pk], reason="It moves", by=by)
    factories.let_in(customer.projects.get(), bob)
    assert client_for(dana).get(f"/portal/devices/{device.pk}/messages/").status_code == 200
    assert client_for(bob).get(f"/portal/devices/{device.pk}/messages/").status_code == 404
    assert device.serial_number not in client_for(bob).get("/portal/past/").content.decode()


@pytest.mark.parametrize("is_of_device", [True, False])
def test_a_file_being_written_ends_with_the_membership(is_of_device, claim, device, bob, by, monkeypatch):
    monkeypatch.setattr(message_exports, "newest_first", partial(newest_first, size=2))
    for n in range(6):
        publish(device, n, timezone.now())
    rows = Message.objects.visible_to(actor_for(bob), device=device if is_of_device else None)
    lines = message_exports.lines(rows)
    assert [next(lines)[-1], next(lines)[-1]] == ["5", "4"]
    project_members.end(ProjectMember.objects.all(), by=by)
    assert list(lines) == []


# Concurrent changes


def race_of_leaving_and_claiming(organization, product) -> list:
    """Remove each member in one process while a claim adds them to a project. Return those who left but are in one."""
    each, by = 6, system(organization)
    units, profiles, left, claimants = [], [], [], []
    for n in range(each):
        unit = factories.make_device(product)
        user = factories.make_member(organization, "support")
        profile = worlds.make_unit_profile(None, unit, organization=organization, slug=f"units-{n}", name=f"Units {n}")
        worlds.add_member(profile, Member.objects.get(user=user), "viewer")
        customer = factories.make_customer(organization, f"Customer {n}")
        claimants.append((customer, factories.make_person(customer, f"person-{customer.pk}@example.com")))
        units.append(unit), profiles.append(profile), left.append(user)

    def act(number: int) -> str:
        n = number // 2
        if number % 2:
            members.remove(Member.objects.get(user=left[n]), by=by)
            return "removed"
        redeem(profiles[n], units[n], *claimants[n])
        return "claimed"

    answers = processes.run(2 * each, lambda number: number, act)
    assert sorted(answers) == ["claimed"] * each + ["removed"] * each, answers
    return list(ProjectMember.objects.open().values_list("user", flat=True))


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_a_person_who_left_is_never_in_a_project_however_close_the_race(organization, product):
    for slug in extent(("first",), ("first", "second")):
        other = factories.make_organization(slug)
        assert race_of_leaving_and_claiming(other, factories.make_product(other)) == []


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_person_who_left_can_be_in_a_project(organization, product, monkeypatch):
    """The negative control: members are read without a lock, and leave before they are added."""
    looked, remove = multiprocessing.get_context("fork").Event(), members.remove

    def look(organization_id, user_ids):
        rows = Member.objects.filter(organization=organization_id, removed_at=None, user__in=user_ids)
        found = list(rows.values_list("user", flat=True))
        looked.set()
        waiting.until(lambda: not found or not Member.objects.filter(removed_at=None, user__in=found).exists())
        return found

    def late(member, *, by):
        looked.wait(waiting.PATIENCE)
        remove(member, by=by)

    if connection.vendor == "sqlite":
        # SQLite has one writer at a time; unless the lock is taken at the start, it is just as blind.
        monkeypatch.setattr(claim_actions, "redeem", claim_actions.redeem.__wrapped__)
        monkeypatch.setattr(project_members, "let_in", project_members.let_in.__wrapped__)
    monkeypatch.setattr(members, "remove", late)
    monkeypatch.setattr(project_members, "_lock_members", look)
    assert race_of_leaving_and_claiming(organization, product) != []
    # Clean up after the control, for the check that follows every test.
    ProjectMember.objects.open().update(ended_at=timezone.now() + HOUR, end_reason="left")
