"""What goes along with every change of ownership: who makes it, when, and on what evidence."""

from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from console.access import Actor


@dataclass(frozen=True)
class Act:
    """Something that an actor does to devices. Its spans keep the evidence and the note, its log lines share its id.

    The ledger chooses the instant when the act begins. Passing `at` is for tests and demo data.
    """

    by: Actor
    _: KW_ONLY
    at: datetime | None = None
    note: str = ""
    evidence: str = ""
    id: UUID = field(default_factory=uuid4)

    def begun(self, at: datetime) -> "BegunAct":
        """Return the same act with its instant."""
        return BegunAct(self.by, at=at, note=self.note, evidence=self.evidence, id=self.id)


@dataclass(frozen=True)
class BegunAct(Act):
    """An act whose instant is chosen: see `ledger.begin`."""

    _: KW_ONLY
    at: datetime
