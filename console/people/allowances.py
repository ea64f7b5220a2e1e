"""Limits on what strangers may try at a person's account, so that they slow down nobody but themselves.

Each browser that the person has signed in with has its own allowance. All other browsers share two: one per address
they come from, and one per account. Once these are used up, an emailed link replaces passwords and six digits: it
cannot be guessed, so people who can read the mailbox never have to be refused.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from console import addresses, throttle
from console.models import User
from console.people import browsers, errands
from console.requests import Request

HOUR, DAY = 3600, 86400
# Wrong passwords, and wrong codes of the second step.
BROWSER_TRIES = (10, HOUR)
ADDRESS_TRIES = (30, HOUR)
ACCOUNT_TRIES, ACCOUNT_TRIES_A_DAY = (10, HOUR), (30, DAY)
# Emails with six digits, to one mailbox.
BROWSER_CODES = (10, HOUR)
MAILBOX_CODES, MAILBOX_CODES_A_DAY = (5, HOUR), (10, DAY)
# Wrong codes: for one email, from one address, for one mailbox.
CODE_GUESSES, ADDRESS_GUESSES, MAILBOX_GUESSES_A_DAY = (5, HOUR), (20, HOUR), (15, DAY)
# Emails with a link. An older link works for twice as long; a used one makes room for the next.
MAILBOX_LINKS = (1, HOUR)
# Emails to choose a new password, to one mailbox.
MAILBOX_RESETS, MAILBOX_RESETS_A_DAY = (3, HOUR), (6, DAY)
# Emails to mailboxes without an account, requested from one address, or with one claim code.
ADDRESS_STRANGERS, CODE_STRANGERS = (30, HOUR), (200, HOUR)
# Invitations that an organization sends in total, and invitations to one mailbox.
INVITATIONS, MAILBOX_INVITATIONS = (100, HOUR), (5, DAY)


class Way(Enum):
    """What an email contains that somebody asked for in order to sign in."""

    DIGITS = "digits"
    LINK = "link"
    # Nothing is sent: an earlier link still works.
    NOTHING = "nothing"


GiveBack = Callable[[], None]


def password(request: HttpRequest, email: str) -> GiveBack:
    """Count a try at the password of this address. Returns a function that takes the count back on success.

    Raises ValidationError, before anything is checked, if the browser's allowance is used up.
    """
    account = addresses.normal(email)
    return _guess(
        request,
        "password",
        account,
        User.objects.filter(email=account).first(),  # unscoped: nobody is signed in yet
        _("Too many wrong passwords. Get a code by email instead, or use a browser that you’ve signed in with before."),
    )


def second_step(request: HttpRequest, user: Any) -> GiveBack:
    """Count a try at the second step after a correct password. Returns a function that takes the count back.

    The count belongs to the password: after it is changed, somebody who knew the old one is locked out, and the count
    starts at zero. Raises ValidationError as `password` does.
    """
    return _guess(
        request,
        "second-step",
        f"{user.pk} {user.password}",
        user,
        _(
            "Too many wrong codes. If this wasn’t you, someone knows your password: choose a new one, then sign in. "
            "Or use a passkey, or a browser that you’ve signed in with before."
        ),
    )


def _guess(request: HttpRequest, scope: str, account: str, user: Any, refusal: str) -> GiveBack:
    own = _own(request, user)
    if own and _has_left(f"{scope}-browser", own, BROWSER_TRIES):
        return lambda: throttle.give_back(f"{scope}-browser", own)
    address, counted = throttle.address_of(request), list[tuple[str, str]]()
    for name, who, limit in (
        (f"{scope}-address", address, ADDRESS_TRIES),
        (f"{scope}-account", account, ACCOUNT_TRIES),
        (f"{scope}-account-day", account, ACCOUNT_TRIES_A_DAY),
    ):
        if not _has_left(name, who, limit):
            _give_back(counted)
            raise ValidationError(refusal)
        counted.append((name, who))
    return lambda: _give_back(counted)


def code_by_mail(request: HttpRequest, email: str, user: Any) -> Way:
    """Count an email that somebody asks for to sign in with, and return what it contains.

    `email` is the address of the mailbox.
    """
    own = _own(request, user)
    if own and _has_left("code-browser", own, BROWSER_CODES):
        return Way.DIGITS
    may_mail_strangers = _has_left("mail-address", throttle.address_of(request), ADDRESS_STRANGERS)
    way = _way_to(email, throttle.address_of(request))
    # Counted first and for everybody, so that neither the response nor its timing reveals whether an account exists.
    return way if user is not None or may_mail_strangers else Way.NOTHING


def _way_to(email: str, address: str) -> Way:
    if (
        _has_room("guess-address", address, ADDRESS_GUESSES)
        and _has_room("guess-mailbox", email, MAILBOX_GUESSES_A_DAY)
        and _has_left("code-mailbox", email, MAILBOX_CODES)
        and _has_left("code-mailbox-day", email, MAILBOX_CODES_A_DAY)
    ):
        return Way.DIGITS
    return Way.LINK if _has_left("link-mailbox", email, MAILBOX_LINKS) else Way.NOTHING


def link_was_used(email: str) -> None:
    """Make room for the next link, because people who used this one can read the mailbox."""
    throttle.give_back("link-mailbox", email)


def may_begin(request: Request) -> bool:
    """Whether a mailbox without an account gets its first email, requested with a claim code. Counts the request."""
    code = errands.counted_by(request)
    return _has_left("newcomer-address", throttle.address_of(request), ADDRESS_STRANGERS) or (
        code is not None and _has_left("newcomer-code", code, CODE_STRANGERS)
    )


def guess_code(request: HttpRequest, email: str, user: Any, mail: str) -> GiveBack:
    """Count a try at the six digits of one email. Returns a function that takes the count back on success.

    Raises ValidationError, before anything is compared, after too many tries: for the email, or by strangers from the
    address or for the mailbox.
    """
    counted = []
    scopes = [("guess-mail", mail, CODE_GUESSES)]
    if not _own(request, user):
        scopes += [
            ("guess-address", throttle.address_of(request), ADDRESS_GUESSES),
            ("guess-mailbox", email, MAILBOX_GUESSES_A_DAY),
        ]
    for name, who, limit in scopes:
        if not _has_left(name, who, limit):
            raise ValidationError(_("Too many wrong codes. Request a new email."))
        counted.append((name, who))
    return lambda: _give_back(counted[1:])


def reset_by_mail(request: HttpRequest, email: str, user: Any) -> bool:
    """Whether an email to choose a new password is sent. Counts the request; links sent earlier still work."""
    own = _own(request, user)
    if own and _has_left("reset-browser", own, MAILBOX_RESETS):
        return True
    may_mail_strangers = _has_left("mail-address", throttle.address_of(request), ADDRESS_STRANGERS)
    has_room = _has_left("reset-mailbox", email, MAILBOX_RESETS) and _has_left(
        "reset-mailbox-day", email, MAILBOX_RESETS_A_DAY
    )
    return has_room and (user is not None or may_mail_strangers)


def invitation(organization: Any, email: str) -> None:
    """Count an invitation. Raises Refused (429) if the organization or the mailbox has had too many."""
    for scope, who, (limit, seconds) in (
        ("invite", str(organization.pk), INVITATIONS),
        ("invite-mailbox", addresses.normal(email), MAILBOX_INVITATIONS),
    ):
        throttle.spend(scope, who, limit=limit, seconds=seconds)


def _own(request: HttpRequest, user: Any) -> str | None:
    """Return the key under which the person's own browser or session is counted; None for a stranger's browser."""
    if user is not None and request.user.is_authenticated and request.user.pk == user.pk:
        return f"session {request.session.session_key}"
    return browsers.known(request, user)


def _has_left(scope: str, who: str, limit: tuple[int, int]) -> bool:
    return throttle.has_left(scope, who, limit=limit[0], seconds=limit[1])


def _has_room(scope: str, who: str, limit: tuple[int, int]) -> bool:
    return throttle.has_room(scope, who, limit=limit[0], seconds=limit[1])


def _give_back(counted: list[tuple[str, str]]) -> None:
    for scope, who in counted:
        throttle.give_back(scope, who)
