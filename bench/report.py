"""The lines of the report, and the table of them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

HEADINGS = ("work", "ours", "floor or peer", "ratio", "budget", "")


@dataclass(frozen=True)
class Line:
    """A measurement. `ratio` is Custody's to the peer's; `most` or `least` is its budget, if it has one."""

    work: str
    ours: str
    theirs: str
    ratio: float | None = None
    most: float | None = None
    least: float | None = None
    unit: str = "×"

    @property
    def budget(self) -> str:
        """Return the budget in words."""
        if self.most is not None:
            return f"≤ {self.most:g} {self.unit}"
        return f"≥ {self.least:g} {self.unit}" if self.least is not None else "–"

    @property
    def verdict(self) -> str:
        """Return whether the budget is kept, in words; empty if there is none."""
        if self.ratio is None or (self.most is None and self.least is None):
            return ""
        kept = self.ratio <= self.most if self.most is not None else self.ratio >= (self.least or 0)
        return "ok" if kept else "OVER"

    def cells(self) -> tuple[str, ...]:
        """Return the columns of the table."""
        ratio = (
            "–"
            if self.ratio is None
            else f"{self.ratio:.2f} {self.unit}"
            if self.unit == "×"
            else f"{self.ratio:.4g} {self.unit}"
        )
        return self.work, self.ours, self.theirs, ratio, self.budget, self.verdict

    def dump(self) -> str:
        """Return the line as JSON, to pass it to another process."""
        return json.dumps(asdict(self))


def load(text: str) -> Line:
    """Return the line from the text of `dump`."""
    return Line(**json.loads(text))


def table(lines: Iterable[Line]) -> str:
    """Return the lines as a table in Markdown, which is readable as it is."""
    rows: list[tuple[Any, ...]] = [HEADINGS, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    drawn.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(drawn)


def milliseconds(seconds: float) -> str:
    """Return a time as the table shows it."""
    return f"{seconds * 1000:.1f} ms"


def per_second(count: int, seconds: float, what: str = "rows") -> str:
    """Return a speed as the table shows it."""
    return f"{count / seconds:,.0f} {what}/s"
