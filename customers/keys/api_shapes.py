"""Shapes of API keys in the API."""

from rest_framework import serializers

from console.access import CustomerScope, Permission
from customers.api_shapes import CustomerRef
from customers.models import ApiKey


class KeyOut(serializers.ModelSerializer):
    """An API key, without the key itself."""

    customer = CustomerRef(allow_null=True)
    made_by = serializers.StringRelatedField()

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "start",
            "scopes",
            "customer",
            "made_by",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        ]

    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=[*[p.value for p in Permission], *[s.value for s in CustomerScope]])
    )
