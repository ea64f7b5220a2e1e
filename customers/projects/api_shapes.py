"""Shapes of projects in the API."""

from rest_framework import serializers

from console.rest.fields import Id
from console.rest.paging import PageQuery
from customers.api_shapes import CustomerRef
from customers.models import Project


class ProjectOut(serializers.ModelSerializer):
    """A project, which is a workspace of a customer."""

    customer = CustomerRef()

    class Meta:
        model = Project
        fields = ["id", "name", "customer", "is_default", "created_at"]


class ProjectQuery(PageQuery):
    """Which of the projects to list."""

    customer = Id(required=False, in_query=True)
