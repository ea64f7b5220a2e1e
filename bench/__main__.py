"""Runs the measurements, each group in a process and a database of its own, and prints one table."""

import argparse
import os
import platform
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import databases, report

PLACES = {"postgresql": databases.postgresql, "sqlite": databases.sqlite}
# The measurements of each group share a process and a database.
GROUPS = [
    ["lists", "admin", "pages", "wire"],
    ["imports"],
    ["handover"],
    ["redemption"],
    ["labels"],
    ["packing"],
    ["messages"],
]
NAMES = [name for group in GROUPS for name in group]


def options() -> argparse.Namespace:
    """Return the command line options."""
    parser = argparse.ArgumentParser(
        prog="bench/run", description="Measure Custody and print the table of its budgets."
    )
    parser.add_argument("--quick", action="store_true", help="with 10,000 and 100,000 devices, and 10,000 in bulk")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--database", choices=[*PLACES, "both"], default="both")
    parser.add_argument("--tests-seconds", type=float, help="how long script/test took, for its line")
    return parser.parse_args()


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the processes except the database's address: settings and keys, all temporary."""
    return {
        "CUSTODY_DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "CUSTODY_SECRET_KEY": secrets.token_urlsafe(50),
        "CUSTODY_CLAIM_KEYS": f"b1:{secrets.token_hex(32)}",
        "CUSTODY_BASE_URL": "http://localhost:8000",
        "CUSTODY_DEBUG": "",
        "CUSTODY_EMBEDDED": "",
    }


def measure(names: list[str], url: str, extra: dict[str, str], quick: bool) -> list[report.Line]:
    """Run the measurements in a process of their own and collect their lines as they arrive."""
    command = [sys.executable, "-m", "bench.measure", *names, *(["--quick"] if quick else [])]
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **extra, "DATABASE_URL": url}
    ) as process:
        for text in process.stdout or ():
            lines.append(report.load(text))
            print(" · ".join(lines[-1].cells()), file=sys.stderr, flush=True)
    if process.returncode:
        print(f"{' '.join(names)}: the measurement failed", file=sys.stderr)
        lines.append(report.Line(f"{', '.join(names)}: FAILED", "–", "–"))
    return lines


def machine() -> str:
    """Return a description of the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    made_of = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
    return f"{made_of}; load before: {load}"


def main() -> int:
    """Run the requested measurements. Returns 1 if a measurement failed; a missed budget is not a failure."""
    asked = options()
    lines: list[report.Line] = []
    print(f"\n{machine()}")
    folder = Path(tempfile.mkdtemp(prefix="custody-bench-"))
    try:
        for place in PLACES if asked.database == "both" else [asked.database]:
            found: list[report.Line] = []
            data = folder / place
            data.mkdir()
            extra = environment(data)
            with PLACES[place](data, extra) as make:
                for group in GROUPS:
                    names = [name for name in group if not asked.only or name in asked.only]
                    if names:
                        found += measure(names, make(f"bench_{group[0]}"), extra, asked.quick)
            print(f"\n## {place}\n\n{report.table(found)}")
            lines += found
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if asked.tests_seconds:
        minutes = asked.tests_seconds / 60
        line = report.Line("script/test", f"{minutes:.1f} min", "–", minutes, most=6, unit="min")
        print(f"\n{report.table([line])}")
    return int(any("FAILED" in line.work for line in lines))


if __name__ == "__main__":
    sys.exit(main())
