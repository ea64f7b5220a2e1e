"""Changes to a person's own account."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from console import addresses, edits
from console.models import User


def find_or_make(email: str) -> User | None:
    """Return the person with this email address; create them if there is none.

    A new person can do nothing until they have proved the address with a code. Returns None if the address, once
    folded, is another person's: that person must not get codes for it.
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
    """Change a person's name, language or time zone; only the given fields change.

    These belong to the person and not to an organization, so no log records the change.
    """
    edits.write(user, {name: value.strip() for name, value in fields.items()})


@transaction.atomic
def sign_out_everywhere(user: User, *, at: datetime | None = None) -> None:
    """End all sessions of a person, and treat all their browsers as unknown. API keys keep working.

    The current session must be given the new hash, or it ends too. As with `edit`, no log records it.
    """
    user.browsers_since = at or timezone.now()
    user.save(update_fields=["browsers_since"])
