"""Who sees a project without being a person of its customer."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import CustomerScope, Permission
from console.rest.endpoints import endpoint, reader
from console.rest.fields import Body, Flag, Text
from console.rest.forms import checked
from console.rest.paging import PageQuery, page
from customers.actions import project_members
from customers.member_forms import EndForm
from customers.models import CustomerRole, MemberEnd, MemberStart, Project, ProjectMember

TAG = "project members"


class ProjectMemberOut(serializers.ModelSerializer):
    """A member of a project: from `started_at` on and before `ended_at`, null while it goes on.

    `start_note` names the claim profile. A customer's key reads no name of who ended it, and no reason of staff.
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
        """Who ended it."""
        return "" if self.context.get("reader") == "customer" else member.ended_by

    def get_end_note(self, member: ProjectMember) -> str:
        """What was given as the reason."""
        return "" if self.context.get("reader") == "customer" else member.end_note


class ProjectMemberQuery(PageQuery):
    """Which members."""

    current = Flag(required=False, help_text="true: open ones only; false: ended ones only.")


class ProjectMemberEndIn(Body):
    """Why."""

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
    """People from outside the customer who see the project, also those whose access has ended; the newest first."""
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
    """From the person's next request on. Refused (409) where it has ended already."""
    row = get_object_or_404(_rows(request, pk), pk=member)
    form = checked(EndForm, request.body_data)
    project_members.end_one(row, by=request.actor, note=form.cleaned_data["reason"])
    return _rows(request, pk).get(pk=member)


def _rows(request: Any, pk: int) -> QuerySet[ProjectMember]:
    project = get_object_or_404(Project.objects.visible_to(request.actor), pk=pk)
    rows = ProjectMember.objects.visible_to(request.actor).filter(project=project)
    return rows.select_related("user")
