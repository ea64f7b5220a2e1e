"""What a webhook may be bound to besides the organization. Apps register the models; the foundation knows their ids."""

from dataclasses import dataclass
from typing import Any

from django.db import models

from console import slugs
from console.access import Actor
from console.errors import Refused


@dataclass(frozen=True)
class Scope:
    """A kind of thing that a webhook may be bound to.

    `name` is the webhook's column without `_id`. `fields` are shown over REST, and `key` is the column that can name
    the thing there instead of its id. The scope with the lowest `place` comes first.
    """

    name: str
    model: type[models.Model]
    place: int
    unknown: Any
    fields: tuple[str, ...] = ("name",)
    key: str = ""

    def rows(self, actor: Actor) -> models.QuerySet[Any]:
        """Return the rows that the actor may see."""
        return self.model.objects.visible_to(actor)  # type: ignore[attr-defined]

    def bindable(self, actor: Actor) -> models.QuerySet[Any]:
        """Return the rows that a new webhook may be bound to."""
        return self.rows(actor).filter(archived_at=None)

    def refusal(self) -> Refused:
        """Return the exception to raise if there is no such thing."""
        return Refused(f"unknown_{self.name}", str(self.unknown), status=422)


registry: dict[str, Scope] = {}


def register(scope: Scope) -> None:
    """Register a scope."""
    registry[scope.name] = scope


def in_order() -> list[Scope]:
    """Return all scopes in their order."""
    return sorted(registry.values(), key=lambda scope: scope.place)


def named(name: str, key: str, *, by: Actor) -> int:
    """Return the id of the thing in use with this id or key. Raises Refused (422) if there is none."""
    scope = registry[name]
    found = scope.bindable(by).filter(**slugs.named(key, slug=scope.key)).first()
    if found is None:
        raise scope.refusal()
    return found.pk
