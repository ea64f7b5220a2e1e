"""Runs some of the measurements against the database of this process, and prints each line as JSON."""

import argparse
import sys
import time
from collections.abc import Iterator

import django


def main() -> None:
    """Create the world that the named measurements need, and run them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    django.setup()
    for line in lines(asked.names, asked.quick):
        print(line.dump(), flush=True)


def lines(names: list[str], quick: bool) -> Iterator:
    """Yield the lines of the named measurements."""
    from bench import handover, imports, labels, lists, messages, packing, pages, redemption, wire
    from bench.data import make, settle

    bulk = 10_000 if quick else 100_000
    alone = {
        "imports": imports.measure,
        "handover": handover.measure,
        "redemption": redemption.measure,
        "labels": lambda _bulk: labels.measure(),
        "packing": lambda _bulk: packing.measure(),
        "messages": messages.measure,
    }
    for name in names:
        if name in alone:
            yield from alone[name](bulk)
    if any(name not in alone for name in names):
        start = time.monotonic()
        worlds = [make("Small", 10_000), make("Large", 100_000 if quick else 1_000_000)]
        settle()
        print(f"the world took {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        if "lists" in names:
            yield from lists.measure(worlds)
            yield from lists.measure_portal(worlds)
        if "admin" in names:
            yield from lists.measure_admin(worlds)
        if "pages" in names:
            yield from pages.measure(worlds[-1])
        if "wire" in names:
            yield from wire.measure(worlds[-1])


if __name__ == "__main__":
    main()
