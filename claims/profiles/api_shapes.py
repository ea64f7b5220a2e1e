"""Shapes of requests and responses of the API for claim profiles and their codes."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from claims.models import ClaimProfile, Grant, ResourceKind, Scope
from claims.models.claim_profile import State
from claims.profiles.forms import MOST_CLAIMS, MOST_DEVICES, MOST_DOCUMENTS, MOST_MEMBERS, MOST_QUESTIONS
from console.rest.entries import Row
from console.rest.fields import Body, Email, Flag, Id, Moment, Text, Whole
from console.rest.paging import PageQuery
from customers.api_shapes import CustomerRef
from customers.models import CustomerRole
from devices.api.naming import NamedResult
from devices.api.shapes import DeviceDetails, ProductRef


class ProfileRef(serializers.Serializer):
    """A reference to a claim profile by id, slug and name."""

    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()


class ProjectRef(serializers.Serializer):
    """A reference to a project by id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class ProfileOut(serializers.ModelSerializer):
    """A claim profile as it appears in lists."""

    scope = serializers.ChoiceField(choices=Scope.choices)
    grant = serializers.ChoiceField(choices=Grant.choices)
    state = serializers.ChoiceField(choices=State.choices, help_text="Whether it can be claimed now; if not, why.")
    product = ProductRef(allow_null=True)
    domain = serializers.CharField(source="domain.host", default=None, allow_null=True)
    additional_project = ProjectRef(allow_null=True)

    class Meta:
        model = ClaimProfile
        fields = [
            "id",
            "slug",
            "name",
            "description",
            "scope",
            "grant",
            "product",
            "is_enabled",
            "state",
            "max_claims",
            "claim_count",
            "valid_from",
            "valid_until",
            "domain",
            "additional_project",
            "created_at",
            "last_claimed_at",
            "version",
        ]


class DocumentOut(serializers.Serializer):
    """A document that a claim provides."""

    title = serializers.CharField()
    link = serializers.CharField()


class ProfileMemberOut(serializers.Serializer):
    """A member of the organization who is added to the claimer's project."""

    email = serializers.CharField(source="member.user.email")
    name = serializers.CharField(source="member.user.name")
    role = serializers.ChoiceField(choices=CustomerRole.choices)


class QuestionOut(serializers.Serializer):
    """A question that people answer before they claim. Answers refer to it by its `name`."""

    name = serializers.CharField()
    label = serializers.CharField()
    required = serializers.BooleanField()


class ProfileDetail(ProfileOut):
    """A claim profile with its devices, documents, members and questions."""

    devices = serializers.SerializerMethodField()
    documents = serializers.SerializerMethodField()
    members = serializers.SerializerMethodField()
    questions = QuestionOut(source="form", many=True)

    class Meta(ProfileOut.Meta):
        fields = [*ProfileOut.Meta.fields, "devices", "documents", "members", "questions"]

    @extend_schema_field(DeviceDetails(many=True))
    def get_devices(self, profile: ClaimProfile) -> list[dict[str, Any]]:
        """The devices that each claim of a profile with scope link grants."""
        rows = profile.resources.filter(kind=ResourceKind.DEVICE).select_related("device")
        return DeviceDetails([row.device for row in rows], many=True).data

    @extend_schema_field(DocumentOut(many=True))
    def get_documents(self, profile: ClaimProfile) -> list[dict[str, Any]]:
        """The documents that each claim provides, in their order in the profile."""
        return DocumentOut(profile.resources.filter(kind=ResourceKind.DOCUMENT), many=True).data

    @extend_schema_field(ProfileMemberOut(many=True))
    def get_members(self, profile: ClaimProfile) -> list[dict[str, Any]]:
        """The additional members who still belong to the organization."""
        # unscoped: limited to a visible profile
        rows = profile.members.filter(member__removed_at=None).select_related("member__user")
        return ProfileMemberOut(rows.order_by("pk"), many=True).data


class DocumentIn(Row):
    """A document, given by its title and link."""

    title = Text(max_length=120)
    link = Text(pattern=r"^https://[^\x00]*$", max_length=500)


class ProfileMemberIn(Row):
    """A member, identified by the email address of their account."""

    email = Email()
    role = serializers.ChoiceField(choices=CustomerRole.choices, default=CustomerRole.VIEWER)


class QuestionIn(Row):
    """A question. If the name is omitted, it is derived from the label; send it to keep existing answers in place."""

    name = Text(pattern="^[-a-zA-Z0-9_]*$", max_length=40, required=False, allow_blank=True)
    label = Text(max_length=60)
    required = Flag(default=False)


class ProfileIn(Body):
    """A new claim profile. If the slug is empty, it is derived from the name."""

    name = Text(max_length=120)
    slug = Text(pattern="^[-a-zA-Z0-9_]*$", max_length=60, required=False, allow_blank=True)
    description = Text(max_length=400, required=False, allow_blank=True)
    scope = serializers.ChoiceField(choices=Scope.choices, default=Scope.LINK)
    grant = serializers.ChoiceField(choices=Grant.choices, default=Grant.OWNERSHIP)
    product = Text(
        max_length=60,
        required=False,
        allow_null=True,
        help_text="Id or slug of a product, only with scope `unit`. Every device of the product gets a code.",
    )
    is_enabled = Flag(default=True)
    max_claims = Whole(
        min_value=0,
        max_value=MOST_CLAIMS,
        required=False,
        allow_null=True,
        help_text="How often it can be claimed. 0 or null: no limit.",
    )
    valid_from = Moment(required=False, allow_null=True)
    valid_until = Moment(required=False, allow_null=True)
    domain = Text(
        max_length=253,
        required=False,
        allow_null=True,
        help_text="A domain of the organization. The codes only work there.",
    )
    additional_project = Id(
        required=False,
        allow_null=True,
        help_text="Id of a project of an internal customer, which also gets access to every claimed device.",
    )
    devices = serializers.ListField(
        child=Text(max_length=64),
        required=False,
        max_length=MOST_DEVICES,
        help_text="Serial numbers or device names, only with scope `link`.",
    )
    documents = serializers.ListField(child=DocumentIn(), required=False, max_length=MOST_DOCUMENTS)
    members = serializers.ListField(child=ProfileMemberIn(), required=False, max_length=MOST_MEMBERS)
    questions = serializers.ListField(child=QuestionIn(), required=False, max_length=MOST_QUESTIONS)


class ProfileEdit(ProfileIn):
    """The fields to change. Each list in the body replaces the existing list."""

    version = Whole(
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        help_text="The version you read. If the profile has changed since, the call is refused (409).",
    )


class ProfileQuery(PageQuery):
    """Filters for the list of claim profiles."""

    q = Text(required=False, max_length=120, help_text="Beginning of the name or slug.")
    scope = serializers.ChoiceField(choices=Scope.choices, required=False)
    grant = serializers.ChoiceField(choices=Grant.choices, required=False)
    enabled = Flag(required=False, help_text="Only enabled profiles (true), or only disabled ones (false).")


class Reason(Body):
    """The reason for replacing a code, which the audit log records."""

    reason = Text(max_length=500)


class CodeOut(serializers.Serializer):
    """The printed forms of the code of a profile or of a device.

    Link, QR text and typed code are null if the server key that created the code is no longer configured.
    """

    profile = ProfileRef()
    link = serializers.CharField(allow_null=True)
    qr_text = serializers.CharField(allow_null=True, help_text="The link as encoded in the QR code.")
    typed_code = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(help_text="Increases each time the code is replaced.")
    changed_at = serializers.DateTimeField()


class CodesOut(serializers.Serializer):
    """The claim codes of a device."""

    results = CodeOut(many=True)


class LabelClaim(serializers.Serializer):
    """The claim made with a label: the customer and the time."""

    id = serializers.IntegerField()
    customer = CustomerRef()
    at = serializers.DateTimeField()


class ProfileUnitRows(serializers.ListSerializer):
    """The devices of a page, whose codes and claims are read together."""

    def to_representation(self, data: Any) -> Any:
        """Load the codes and claims of all devices, then represent each device."""
        self.context["bring_codes"](data)
        return super().to_representation(data)


class ProfileUnitOut(serializers.Serializer):
    """A device that has a code of the profile. Link and typed code are null without the scope code.view."""

    device = DeviceDetails(source="*")
    claim = LabelClaim(allow_null=True, help_text="The claim made with the current label; null if there is none.")
    link = serializers.CharField(source="label.link", default=None, allow_null=True)
    typed_code = serializers.CharField(source="label.typed", default=None, allow_null=True)
    version = serializers.IntegerField(source="claim_code.version")

    class Meta:
        list_serializer_class = ProfileUnitRows


class ProfileUnitQuery(PageQuery):
    """Filters for the devices of a claim profile."""

    q = Text(required=False, max_length=64, help_text="Beginning of the serial number.")


class UnitsAdded(serializers.Serializer):
    """The number of codes created or, for very many, the operation that creates them; and the result for each name.

    Result codes: `ok`, `not_found`, `ambiguous`, `duplicate`. A device that already has a code of the profile keeps it.
    """

    made = serializers.IntegerField()
    operation = serializers.IntegerField(allow_null=True)
    results = NamedResult(many=True)


class Replaced(serializers.Serializer):
    """The number of claim codes that were replaced."""

    replaced = serializers.IntegerField()
