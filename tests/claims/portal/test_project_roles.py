"""Role × page: in the project, an additional member may do what a person of the customer with that role may.

The table states this independently of the code.
"""

import pytest
from django.db import transaction
from django.urls import reverse

from claims.models import ClaimProfile, Return
from claims.profiles.actions import profiles as claim_profiles
from claims.returns.actions import returns
from console.access import Permission
from console.errors import Refused
from console.models import Event, Member
from customers.keys.actions import api_keys
from customers.models import ApiKey, Project, ProjectMember
from customers.people.roles import actor_for
from customers.projects.actions import members as project_members
from customers.projects.actions import projects
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.calls import actions as calls
from devices.models import Call, Message, SharedAccess
from tests import factories, forms
from tests.api import Caller, key_of

pytestmark = pytest.mark.django_db

ALL, OPERATE, ADMIN, NOBODY = {"viewer", "operator", "admin"}, {"operator", "admin"}, {"admin"}, set()
ASKED = {"kind": "variable", "name": "battery", "timeout": "30"}
# (page, method): (the roles that may, its arguments, what is sent). For other roles the page is not found (404).
TABLE = {
    ("portal:project_detail", "get"): (ALL, ["project"], None),
    ("portal:device_detail", "get"): (ALL, ["device"], None),
    ("portal:message_list", "get"): (ALL, ["device"], None),
    ("portal:message_export", "get"): (ALL, ["device"], None),
    ("portal:message_project_list", "get"): (ALL, ["project"], None),
    ("portal:message_project_export", "get"): (ALL, ["project"], None),
    ("portal:call_list", "get"): (ALL, ["device"], None),
    ("portal:call_detail", "get"): (ALL, ["device", "call"], None),
    ("portal:return_detail", "get"): (ALL, ["return"], None),
    ("portal:return_slip", "get"): (ALL, ["return"], None),
    ("portal:call_create", "get"): (OPERATE, ["device"], None),
    ("portal:call_create", "post"): (OPERATE, ["device"], ASKED),
    ("portal:return_create", "get"): (OPERATE, ["device"], None),
    ("portal:return_create", "post"): (OPERATE, ["device"], {"reason": "Defective"}),
    ("portal:return_cancel", "post"): (OPERATE, ["return"], {}),
    ("portal:project_edit", "get"): (ADMIN, ["project"], None),
    ("portal:project_edit", "post"): (ADMIN, ["project"], {"name": "North"}),
    ("portal:project_member_end", "get"): (ADMIN, ["project", "other_member"], None),
    ("portal:project_member_end", "post"): (ADMIN, ["project", "other_member"], {"reason": "x"}),
    ("portal:device_access_end", "get"): (ADMIN, ["device", "share"], None),
    ("portal:device_access_end", "post"): (ADMIN, ["device", "share"], {"reason": "x"}),
}
# What the customer's admins do for the whole customer, and project members never do.
OUTSIDE = {
    ("portal:api_key_list", "get"): (NOBODY, [], None),
    ("portal:api_key_create", "post"): (NOBODY, [], {"name": "x", "scopes": ["customer.read"]}),
}
SUCCESS = {200, 302}


@pytest.fixture
def make_part(customer, product, other_customer, organization, by):
    """Create a project with a device, a return, a call, a share and a member whose access can be ended."""

    def make(name: str) -> dict:
        project = projects.make(customer, name=name, by=by)
        device, coming = (factories.make_device(product) for _each in range(2))
        other = factories.let_in(project, factories.make_member(organization, "support"))
        ownership.assign([device.pk, coming.pk], customer=customer, by=by, project=project)
        ledger.share(
            [device.pk], Act(by), customer=other_customer, project=other_customer.projects.get(), reason="claim"
        )
        return {
            "project": project,
            "device": device,
            "other_member": other,
            "share": SharedAccess.objects.get(device=device),
            "coming": coming,
        }

    return make


def fill(part, customer, by, person):
    """Add what happens after the member joined."""
    part["call"] = calls.ask(part["device"], kind="variable", name="voltage", by=by)
    part["return"] = returns.request(part["coming"], customer=customer, reason="Upgrade", by=person)


def state() -> list:
    return [
        Event.objects.count(),
        Call.objects.count(),
        list(Return.objects.order_by("pk").values()),
        list(ProjectMember.objects.order_by("pk").values()),
        list(SharedAccess.objects.order_by("pk").values()),
        list(Project.objects.order_by("pk").values()),
        ApiKey.objects.count(),
    ]


def ask(client, key, part):
    """Return the status of the answer and whether anything changed; every change is rolled back."""
    (name, method), (_roles, arguments, data) = key, (TABLE | OUTSIDE)[key]
    url, before = reverse(name, args=[part[each].pk for each in arguments]), state()
    with transaction.atomic():
        # An edit form is sent the way a browser sends it, including the values that the page showed.
        page = client.get(url) if data and name == "portal:project_edit" else None
        if page is not None and page.status_code == 200:
            data = forms.shown_in(page) | data
        status = getattr(client, method)(url, data).status_code
        has_changed = state() != before
        transaction.set_rollback(True)
    return status, has_changed


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize("is_guest", [True, False])
def test_a_role_allows_what_the_table_says_in_its_project_and_nothing_outside(
    role, is_guest, make_part, customer, organization, dana, by, client_for
):
    inside, outside = make_part("Inside"), make_part("Outside")
    if is_guest:
        user = factories.make_member(organization, "viewer", "guest@northlake.example")
        factories.let_in(inside["project"], user, role)
    else:
        user = factories.make_person(customer, "person@aalen.example", role)
    for part in (inside, outside):
        fill(part, customer, by, factories.actor_of(dana))
    client, wrong = client_for(user), []
    for key, (roles, _arguments, data) in (TABLE | OUTSIDE).items():
        for part in (inside, outside):
            is_theirs = role in roles and (part is inside or not is_guest)
            if key in OUTSIDE and not is_guest:
                continue
            status, has_changed = ask(client, key, part)
            if is_theirs != (status in SUCCESS) or has_changed != (is_theirs and data is not None):
                wrong.append((key, part["project"].name, status, has_changed))
            if not is_theirs and status != 404:
                wrong.append((key, part["project"].name, status))
    assert wrong == []


@pytest.mark.parametrize("role", sorted(ALL))
def test_no_role_in_a_project_allows_creating_the_customers_keys(role, customer, bob):
    factories.let_in(customer.projects.get(), bob, role)
    guest = actor_for(bob)
    assert (guest.customers, guest.operates, guest.administers) == (frozenset(), frozenset(), frozenset())
    with pytest.raises(Refused) as refused:
        api_keys.create(name="x", scopes=["customer.read"], by=guest, customer=customer)
    assert refused.value.code == "scope_not_yours"
    assert not ApiKey.objects.exists()


def test_a_membership_that_ended_during_the_request_allows_no_call(make_part, bob, by):
    part = make_part("Inside")
    factories.let_in(part["project"], bob, "operator")
    stale = actor_for(bob)
    assert calls.may_ask(stale, part["device"])
    project_members.end(ProjectMember.objects.filter(user=bob), by=by)
    with pytest.raises(Refused):
        calls.ask(part["device"], kind="variable", name="voltage", by=stale)
    assert not Call.objects.exists()


def test_calls_and_returns_from_before_the_membership_are_not_visible(make_part, customer, dana, bob, by):
    part = make_part("Inside")
    fill(part, customer, by, factories.actor_of(dana))
    factories.let_in(part["project"], bob, "admin")
    guest = actor_for(bob)
    for rows in (Call.objects, Return.objects, Message.objects):
        assert not rows.visible_to(guest).exists()


# Assigning roles


@pytest.mark.parametrize(
    ("scopes", "roles"),
    [
        ({"view", "profile.edit"}, {"viewer"}),
        ({"view", "profile.edit", "device.assign", "device.call"}, {"viewer", "operator"}),
        (set(map(str, Permission)), ALL),
    ],
)
def test_a_key_cannot_assign_a_role_with_more_permissions_than_its_own(scopes, roles, alice, bob):
    api = Caller(key_of(alice, *scopes))
    for role in sorted(ALL):
        answer = api.post("/claim-profiles", {"name": role, "members": [{"email": bob.email, "role": role}]})
        if role in roles:
            assert answer.status_code == 201, answer.content
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "role_not_yours")
    assert set(ClaimProfile.objects.values_list("name", flat=True)) == roles


def test_an_existing_role_in_a_profile_survives_edits_by_people_who_could_not_assign_it(organization, device, bob, by):
    member = Member.objects.get(user=bob)
    profile = claim_profiles.create(name="Pilot", slug="pilot", by=by, members=[(member, "admin")])
    weak = type(by)(**{**by.__dict__, "permissions": frozenset({Permission.VIEW, Permission.PROFILE_EDIT})})
    claim_profiles.edit(profile, version=profile.version, by=weak, members=[(member, "admin")], description="x")
    profile.refresh_from_db()
    assert profile.description == "x"
    with pytest.raises(Refused):
        claim_profiles.edit(profile, version=profile.version, by=weak, members=[(member, "operator")])
    assert [row.role for row in profile.members.all()] == ["admin"]
