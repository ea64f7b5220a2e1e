"""The shape in which the API names a customer, also in what belongs to it."""

from rest_framework import serializers


class CustomerRef(serializers.Serializer):
    """A customer, by id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()
