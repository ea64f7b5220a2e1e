from customers.models.customer import Customer, CustomerKind
from customers.models.people import CustomerRole, CustomerUser, ProjectMember
from customers.models.project import Project

__all__ = ["Customer", "CustomerKind", "CustomerRole", "CustomerUser", "Project", "ProjectMember"]
