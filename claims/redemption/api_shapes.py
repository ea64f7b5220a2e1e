"""Request and response shapes of claims in the REST API."""

from rest_framework import serializers

from claims.codes import MOST_CHARACTERS
from claims.models import Claim, ResourceKind
from claims.profiles.api_shapes import ProfileRef
from console.rest.fields import Body, Id, Text
from console.rest.paging import PageQuery
from customers.api_shapes import CustomerRef


class GivenOut(serializers.Serializer):
    """One thing that a claim granted: a device, by id and serial number, or a document, by title and link."""

    kind = serializers.ChoiceField(choices=ResourceKind.choices)
    id = serializers.IntegerField(required=False)
    label = serializers.CharField(required=False)
    product = serializers.CharField(required=False)
    title = serializers.CharField(required=False)
    link = serializers.CharField(required=False)


class ClaimOut(serializers.ModelSerializer):
    """One redemption of a claim profile: by whom, for which customer, when, what it granted, and the answers."""

    profile = ProfileRef()
    customer = CustomerRef()
    claimed_by = serializers.StringRelatedField(source="user")
    given = GivenOut(many=True)
    answers = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = Claim
        fields = ["id", "profile", "customer", "claimed_by", "at", "given", "answers"]


class ClaimOfProfile(ClaimOut):
    """A claim as it is shown in the list of its claim profile."""


class ClaimQuery(PageQuery):
    """The filters and the page of a list of claims."""

    profile = Text(required=False, max_length=60, help_text="Id or slug of the claim profile.")
    customer = Id(required=False, in_query=True)


class RedeemIn(Body):
    """The code to redeem, and the answers to the profile's questions, by the names of the questions."""

    code = Text(max_length=MOST_CHARACTERS)
    answers = serializers.DictField(child=Text(max_length=500, allow_blank=True), required=False)
