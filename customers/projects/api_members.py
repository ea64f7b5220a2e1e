"""People who see a project without belonging to its customer, over REST."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import CustomerScope, Permission
from console.rest.endpoints import endpoint, reader
from console.rest.fields import Body, Flag, Text
from console.rest.forms import checked
from console.rest.paging import PageQuery, page
from customers.models import CustomerRole, MemberEnd, MemberStart, Project, ProjectMember
from customers.projects.actions import members as project_members
from customers.projects.forms import EndForm

TAG = "project members"


class ProjectMemberOut(serializers.ModelSerializer):
    """A member of a project from `started_at` until just before `ended_at`, which is null while it continues.

    `start_note` names the claim profile. A customer's key sees neither who ended the membership nor the reason that
    staff gave.
    """

    name = serializers.CharField(source="user.name")
    email = serializers.CharField(source="user.email")
    role = serializers.ChoiceField(choices=CustomerRole.choices)
    start_reason = serializers.ChoiceField(choices=MemberStart.choices)
    end_reason = serializers.ChoiceField(choices=MemberEnd.choices, allow_null=True)
    ended_by = serializers.SerializerMethodField()
    end_note = serializers.SerializerMethodField()

    class Meta:
        model = ProjectMember
        fields = [
            "id",
            "name",
            "email",
            "role",
            "started_at",
            "started_by",
            "start_reason",
            "start_evidence",
            "start_note",
            "ended_at",
            "ended_by",
            "end_reason",
            "end_note",
        ]

    def get_ended_by(self, member: ProjectMember) -> str:
        """Who ended the membership; empty for a customer's key."""
        return "" if self.context.get("reader") == "customer" else member.ended_by

    def get_end_note(self, member: ProjectMember) -> str:
        """The reason given for ending the membership; empty for a customer's key."""
        return "" if self.context.get("reader") == "customer" else member.end_note


class ProjectMemberQuery(PageQuery):
    """Which members of the project to list."""

    current = Flag(required=False, help_text="true: only open ones; false: only ended ones.")


class ProjectMemberEndIn(Body):
    """Why the access ends, if you want to say so."""

    reason = Text(max_length=500, required=False, allow_blank=True)


@endpoint(
    "List a project's members",
    may=Permission.VIEW,
    customer=CustomerScope.READ,
    answers=ProjectMemberOut,
    query=ProjectMemberQuery,
    is_list=True,
    tag="projects",
)
def project_member_list(request: Any, pk: int) -> Any:
    """Returns the people from outside the customer who see the project, newest first.

    People whose access has ended are included.
    """
    rows = _rows(request, pk)
    if request.query.get("current") is not None:
        rows = rows.filter(ended_at__isnull=request.query["current"])
    return page(request.query, rows, ProjectMemberOut, **reader(request.actor))


@endpoint(
    "End a member's access to a project",
    may=Permission.CUSTOMER_INVITE,
    customer=CustomerScope.ACCESS,
    takes=ProjectMemberEndIn,
    answers=ProjectMemberOut,
    tag="projects",
    example={"reason": "The pilot is over"},
)
def project_member_end(request: Any, pk: int, member: int) -> Any:
    """Ends the member's access to the project, from their next request on.

    Refused (409) if it has ended already.
    """
    row = get_object_or_404(_rows(request, pk), pk=member)
    form = checked(EndForm, request.body_data)
    project_members.end_one(row, by=request.actor, note=form.cleaned_data["reason"])
    return _rows(request, pk).get(pk=member)


def _rows(request: Any, pk: int) -> QuerySet[ProjectMember]:
    project = get_object_or_404(Project.objects.visible_to(request.actor), pk=pk)
    rows = ProjectMember.objects.visible_to(request.actor).filter(project=project)
    return rows.select_related("user")
