from customers.models.api_key import ApiKey
from customers.models.customer import Customer, CustomerKind
from customers.models.customer_import import CustomerImport
from customers.models.people import CustomerRole, CustomerUser, MemberEnd, MemberStart, ProjectMember
from customers.models.project import Project

__all__ = [
    "ApiKey",
    "Customer",
    "CustomerImport",
    "CustomerKind",
    "CustomerRole",
    "CustomerUser",
    "MemberEnd",
    "MemberStart",
    "Project",
    "ProjectMember",
]
