"""The settings of an organization: its name and brand, its claim domains, and what each role may do."""

from copy import copy

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from console import hosts
from console.access import ROLES, Permission
from console.actions import organizations
from console.editing import Edit
from console.forms import DomainForm, LogoForm, OrganizationForm, attempt, page, press
from console.middleware import ORGANIZATION_IN_SESSION
from console.models import Member, Organization, OrganizationLogo, Role
from console.policies import public, requires, signed_in
from console.requests import Request, SignedIn
from console.uploads import oversized


@requires(Permission.ORGANIZATION_EDIT)
def organization_edit(request: Request) -> HttpResponse:
    """Edit name, time zone, second factor, brand and support contact."""
    organization = request.actor.organization
    # A copy: the page's frame shows the saved name, not the one that is being typed.
    edit = Edit(
        request,
        organization,
        lambda data, row: OrganizationForm(data, instance=copy(row)),
        lambda row, values: organizations.edit(row, values, by=request.actor),
    )
    if not edit.is_done:
        logo = _logo_of(organization)
        return edit.page("console/organization_edit.html", logo_form=LogoForm(), logo=logo)
    messages.success(request, _("Saved."))
    return redirect("console:organization_edit")


@requires(Permission.ORGANIZATION_EDIT)
def organization_logo(request: Request) -> HttpResponse:
    """Store a new logo, or remove the present one."""
    organization = request.actor.organization
    form = LogoForm(request.POST, request.FILES)
    if "remove" in request.POST:
        organizations.remove_logo(organization, by=request.actor)
        messages.success(request, _("Logo removed."))
    elif request.method == "POST" and not _set_logo(request, form):
        context = {"form": OrganizationForm(instance=organization), "logo_form": form, "logo": _logo_of(organization)}
        return render(request, "console/organization_edit.html", context, status=422)
    elif request.method == "POST":
        messages.success(request, _("Logo updated."))
    return redirect("console:organization_edit")


def _set_logo(request: Request, form: LogoForm) -> bool:
    too_large = oversized(request, "logo")
    if too_large:
        form.errors["logo"] = form.error_class([too_large])
        return False
    logo = attempt(
        form,
        lambda: organizations.set_logo(request.actor.organization, form.cleaned_data["logo"], by=request.actor),
        field="logo",
    )
    return logo is not None


def _logo_of(organization: Organization) -> OrganizationLogo | None:
    return OrganizationLogo.objects.filter(organization=organization).first()  # unscoped: the actor's own


@public("Customers see it on claim pages before they sign in.")
def logo(request: Request, slug: str) -> HttpResponse:
    """Return the logo of an organization, as PNG."""
    found = OrganizationLogo.objects.filter(organization__slug=slug).first()  # unscoped: logos are public
    if found is None:
        raise Http404
    return HttpResponse(bytes(found.png), content_type="image/png", headers={"Cache-Control": "public, max-age=300"})


@requires(Permission.ORGANIZATION_EDIT)
def domain_list(request: Request) -> HttpResponse:
    """List the host names that claim links may carry, and add one."""
    organization = request.actor.organization
    form = DomainForm(request.POST or None)
    added = attempt(
        form,
        lambda: organizations.add_domain(organization, form.cleaned_data["host"], by=request.actor),
        field="host",
    )
    if added:
        messages.success(request, _("%(host)s added.") % {"host": added.host})
        return redirect("console:domain_list")
    domains = [(domain, hosts.is_served(domain.host)) for domain in organization.domains.order_by("host")]
    return page(request, "console/domain_list.html", form, domains=domains)


@requires(Permission.ORGANIZATION_EDIT)
def domain_remove(request: Request, pk: int) -> HttpResponse:
    """Remove a domain from use."""
    domain = get_object_or_404(request.actor.organization.domains, pk=pk)
    said = _("%(host)s removed.") % {"host": domain.host}
    return press(request, domain, organizations.remove_domain, said, to="console:domain_list")


@requires(Permission.VIEW)
def role_list(request: Request) -> HttpResponse:
    """Show the table of role × permission, as defined in the code."""
    rows = [(permission.label, [permission in ROLES[role] for role in Role.values]) for permission in Permission]
    return render(request, "console/people/role_list.html", {"roles": Role.labels, "rows": rows})


@signed_in
def organization_switch(request: SignedIn) -> HttpResponse:
    """Act in another organization from now on."""
    if request.method == "POST":
        members = Member.objects.filter(user=request.user, removed_at=None)  # unscoped: the person's own memberships
        member = get_object_or_404(members, organization__slug=request.POST.get("organization", "")[:60])
        request.session[ORGANIZATION_IN_SESSION] = member.organization_id
    return redirect("console:home")
