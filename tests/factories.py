"""Makes the small world of the tests: plain functions behind the fixtures."""

from itertools import count
from typing import Any

from console import words
from console.access import ROLES, Actor, system
from console.models import Member, Organization, User
from customers.models import Customer, CustomerRole, CustomerUser, ProjectMember
from customers.projects.actions import members as project_members
from customers.projects.actions import projects
from devices.models import Device, Product

_numbers = count(1)


def make_organization(name: str = "Northlake", **fields: Any) -> Organization:
    slug = fields.pop("slug", name.lower().replace(" ", "-"))
    return Organization.objects.create(name=name, slug=slug, requires_second_factor=False, **fields)


def make_member(organization: Organization, role: str, email: str = "", name: str = "") -> User:
    user = User.objects.create_user(
        email or f"{role}-{next(_numbers)}@northlake.example", "correct horse battery", name=name
    )
    Member.objects.create(organization=organization, user=user, role=role)
    return user


def make_customer(organization: Organization, name: str = "Stadtwerke Aalen", **fields: Any) -> Customer:
    customer = Customer(organization=organization, name=name, **fields)
    customer.set_keys()
    customer.save()
    words.write("customer", {customer.pk: customer.name})
    projects.make_default(customer)
    return customer


def make_person(customer: Customer, email: str, role: str = CustomerRole.ADMIN) -> User:
    user = User.objects.create_user(email)
    CustomerUser.objects.create(organization=customer.organization, customer=customer, user=user, role=role)
    return user


def let_in(project: Any, user: User, role: str = CustomerRole.VIEWER) -> ProjectMember:
    """The user sees the project as an additional member; one who is not a member of the organization becomes one."""
    if not Member.objects.filter(organization=project.organization, user=user).exists():
        Member.objects.create(organization=project.organization, user=user, role="viewer")
    (member,) = project_members.let_in(project, [(user, role)], by=system(project.organization))
    return member


def make_product(organization: Organization, name: str = "Aqua Meter", **fields: Any) -> Product:
    product = Product(
        organization=organization, name=name, slug=fields.pop("slug", name.lower().replace(" ", "-")), **fields
    )
    product.set_keys()
    product.save()
    words.write("product", {product.pk: product.name})
    return product


def make_device(product: Product, serial: str = "", **fields: Any) -> Device:
    number = next(_numbers)
    device = Device(
        organization=product.organization,
        product=product,
        serial_number=serial or f"AQM26-{number:06d}",
        device_name=fields.pop("device_name", f"e00fce68{number:016x}"),
        **fields,
    )
    device.set_keys()
    device.save()
    return device


def actor_of(user: User, organization: Organization | None = None) -> Actor:
    """The user as the middleware sees him: as a member if he is one, else as a customer."""
    member = Member.objects.filter(user=user, removed_at=None).select_related("organization").first()
    if member is None:
        from customers.people.roles import actor_for

        return actor_for(user)
    return Actor(
        kind="member",
        user=user,
        organization=member.organization,
        role=member.role,
        permissions=ROLES[member.role],
        label=str(user),
    )
