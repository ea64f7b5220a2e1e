"""System checks of the registry of public events: `manage.py check` finds mistakes in declarations."""

from collections import Counter
from typing import Any

from django.core.checks import CheckMessage, Error, register

from console.audit import kinds, public


@register
def public_events_have_names_of_their_own(**kwargs: Any) -> list[CheckMessage]:
    """Check that names are unique, so that receivers can tell events apart, and fit the column of 40 characters."""
    names = Counter(event.name for event in public.registry.declared)
    return [
        *(
            Error(f"Two public events are named {name}.", hint="Rename one.", id="custody.E024")
            for name, number in names.items()
            if number > 1
        ),
        *(
            Error(f"The public event {event.name} has no label.", hint="Add it.", id="custody.E025")
            for event in public.registry.declared
            if not str(event.label).strip()
        ),
    ]


@register
def public_events_are_sent(**kwargs: Any) -> list[CheckMessage]:
    """Check that each event has a payload. One without would be offered to people and never sent."""
    sent = [kind.webhook for kind in kinds.registry.declared if kind.webhook is not None]
    followed = {event for webhook in sent if callable(webhook.payload) for event in webhook.events}
    return [
        Error(
            f"Nothing sends the public event {event.name}.",
            hint="Add webhook=Sends(…) to a kind of event, with a function that returns its payloads.",
            id="custody.E026",
        )
        for event in public.registry.declared
        if not event.is_emitted and event not in followed
    ]
