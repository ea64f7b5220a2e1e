"""Changes to a person's own account."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from console import addresses, edits
from console.models import User


def find_or_make(email: str) -> User | None:
    """The person with this address, made if there is none; he can do nothing before he has proved it with a code.

    None for an address that is another one when it is folded: its owner must not get codes for that one.
    """
    address = addresses.normal(email)
    if addresses.is_twin(email):
        return None
    try:
        with transaction.atomic():
            return User.objects.create_user(address)
    except IntegrityError:
        return User.objects.filter(email=address, is_active=True).first()


@transaction.atomic
def edit(user: User, **fields: str) -> None:
    """Change a person's name, language or time zone: those that are given.

    They are the person's own and belong to no organization, so no log tells of them.
    """
    edits.write(user, {name: value.strip() for name, value in fields.items()})


@transaction.atomic
def sign_out_everywhere(user: User, *, at: datetime | None = None) -> None:
    """End all sessions of a person, and make all browsers strangers'. API keys go on.

    The session that asks must be given the new hash, or it is over too. As with `edit`, no log tells it.
    """
    user.browsers_since = at or timezone.now()
    user.save(update_fields=["browsers_since"])
