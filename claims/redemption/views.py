"""Pages that lead from a scanned code to a claim, on a phone. Only `redeem` changes anything."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from claims.models import Claim, Step
from claims.redemption import portal_queries, session
from claims.redemption.actions import redemption
from claims.redemption.forms import ReviewForm, TypedCodeForm
from console.forms import page
from console.policies import portal, public
from console.requests import Request
from customers.people.roles import claiming_customers

View = Callable[..., HttpResponse]


def claim_page(view: View) -> View:
    """Show refusals of the view within the claim pages, and forbid caching."""

    @wraps(view)
    def framed(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        request.refused_template = "claims/redemption/refused.html"
        response = view(request, *args, **kwargs)
        response["Cache-Control"], response["Referrer-Policy"] = "private, no-store", "same-origin"
        return response

    return framed


@public("Anyone who has a label may see what it offers.")
@claim_page
@require_safe
def code(request: Request, text: str) -> HttpResponse:
    """Move the code from the address into the session. Claims nothing; a HEAD request does not even look it up."""
    if request.method == "GET":
        session.scan(request, text)
    return _see_other("claim:landing")


@public("Anyone who has a label may see what it offers.")
@claim_page
def landing(request: Request) -> HttpResponse:
    """Show what the pending code offers, or a field to type one. All invalid codes look alike."""
    form = TypedCodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not form.is_valid():
            return page(request, "claims/redemption/landing_type.html", form)
        session.scan(request, form.cleaned_data["code"])
        return _see_other("claim:landing")
    pending = None if "another" in request.GET else session.current(request)
    if pending is None:
        return render(request, "claims/redemption/landing_type.html", {"form": form, "is_gone": "gone" in request.GET})
    if request.user.is_authenticated:
        return _see_other("claim:review")
    template = "claims/redemption/landing.html" if pending.is_usable else "claims/redemption/landing_bad.html"
    return render(request, template, {"pending": pending, "form": form})


@portal
@claim_page
@require_safe
def review(request: Request) -> HttpResponse:
    """Show what will be given to whom before the claim, or why it can't be claimed and what to do next."""
    pending = session.current(request)
    if pending is None:
        return _scan_again()
    past = portal_queries.past_claim(request.actor, pending.offer)
    if past is not None:
        return _see_other("claim:done", past.pk)
    session.note_once(request, Step.SIGN_IN)
    if pending.refusal is not None:
        session.note_once(request, Step.REFUSAL, pending.refusal.code)
        context = {"pending": pending, "refusal": pending.refusal, "form": TypedCodeForm(), **_brand_context(pending)}
        return render(request, "claims/redemption/review_refused.html", context)
    context = {"pending": pending, "form": _review_form(request, pending)}
    return render(request, "claims/redemption/review.html", context)


@portal
@claim_page
def redeem(request: Request) -> HttpResponse:
    """Redeem the code. Posting again, or after going back, leads to the same claim."""
    pending = session.current(request)
    if pending is None or pending.offer is None or request.method != "POST":
        return _see_other("claim:review") if pending else _scan_again()
    pending.expect(request.POST.get("nonce", ""))
    form = _review_form(request, pending)
    if not form.is_valid():
        return page(request, "claims/redemption/review.html", form, pending=pending)
    terms: dict[str, Any] = {"answers": form.answers, "by": request.actor, "host": request.get_host()}
    offer = pending.offer if pending.is_usable else None
    claim = redemption.redeem_as(pending.offer.code, claimant=form.claimant, offer=offer, **terms)
    return _see_other("claim:done", claim.pk)


@portal
@claim_page
@require_safe
def done(request: Request, pk: int) -> HttpResponse:
    """Show what one of the user's claims gave, and where to find it."""
    claims = Claim.objects.visible_to(request.actor).select_related("profile__organization", "customer")
    claim = get_object_or_404(claims, pk=pk)
    given = portal_queries.given(request.actor, claim)
    context = {
        "claim": claim,
        "organization": claim.profile.organization,
        "given": given,
        "held": [thing for thing in given if thing["kind"] == "device" and thing["is_held"]],
    }
    return render(request, "claims/redemption/done.html", context)


@public("Anyone may sign out of somebody else's account.")
@require_POST
def switch(request: Request) -> HttpResponse:
    """Sign the user out, or ask for another address, and keep the pending code."""
    taken = session.take(request)
    logout(request)
    session.put(request, taken)
    return _see_other("claim:landing" if taken else "account_request_login_code")


def _review_form(request: Request, pending: session.Pending) -> ReviewForm:
    data = request.POST if request.method == "POST" else None
    assert pending.offer is not None
    customers = claiming_customers(request.user, pending.offer.profile.organization)
    if pending.offer.waits_for:
        customers = customers.filter(pk__in=pending.offer.waits_for)
    return ReviewForm(
        data, initial={"nonce": pending.nonce}, offer=pending.offer, customers=customers, user=request.user
    )


def _brand_context(pending: session.Pending) -> dict[str, Any]:
    return {"organization": pending.offer.profile.organization} if pending.offer else {}


def _scan_again() -> HttpResponse:
    """Redirect to the page that says when the code was scanned, or at least that it has to be scanned again."""
    return HttpResponse(status=303, headers={"Location": reverse("claim:landing") + "?gone"})


def _see_other(name: str, *args: Any) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": reverse(name, args=args)})
