"""Replays captured statements with pgbench, each time for another claim."""

import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.db import connection, models

from bench.data import numbered_uuid
from tests.postgres import INSTALLATION

_TEXT = re.compile(r"('(?:[^']|'')*')")
_NUMBER = re.compile(r"(?<![\w.])\d{9}(?![\w.])")
_ARRAY = re.compile(r"'\{(\d{9})\}'::int4\[\]")
_RETURNING = 'RETURNING "claims_claim"."id"'


def script(
    statements: list[str], number: int, first: dict[type[models.Model], int], session_key: Callable[[int], str]
) -> str:
    """Return the statements of claim `number` as a pgbench script, in which `:k` is the number of the claim.

    Ids and keys that follow from the number become expressions of it, the claim's own id is read back from its INSERT,
    and everything else (texts, times) stays as it was.
    """
    ids = {str(start + number): f"(:k::bigint + {start})" for start in first.values()}
    texts = {
        f"'{session_key(number)}'": f"('bench' || lpad(:k::text, {len(session_key(number)) - 5}, '0'))",
        f"'{_uuid(number)}'": numbered_uuid(":k"),
    }

    def rewritten(statement: str) -> str:
        parts = _TEXT.split(_ARRAY.sub(r"ARRAY[\1]", statement))
        for place, part in enumerate(parts):
            if part.startswith("'"):
                parts[place] = texts.get(part) or re.sub(r"^'claim:(\d+)'$", "('claim:' || :id::text)", part)
            else:
                parts[place] = _NUMBER.sub(lambda found: ids.get(found[0], found[0]), part)
        return "".join(parts)

    lines = [r"\set n :n + 1", r"\set k :start + :client_id * :share + :n - 1"]
    for statement in statements:
        if statement.startswith("--"):
            continue
        text = rewritten(statement).replace("\n", " ").rstrip("; ")
        lines.append(text + (r" \gset" if _RETURNING in text else ";"))
    return "\n".join(lines) + "\n"


def run(text: str, clients: int, share: int, start: int) -> float:
    """Let the clients run the script `share` times each, for the claims from `start` on. Returns their rate."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "claim.sql"
        path.write_text(text)
        options = connection.settings_dict
        done = subprocess.run(
            [
                INSTALLATION / "bin" / "pgbench",
                "-n",
                "-M",
                "prepared",
                f"-c{clients}",
                "-j2",
                f"-t{share}",
                f"-f{path}",
                "-Dn=0",
                f"-Dshare={share}",
                f"-Dstart={start}",
                "-h",
                options["OPTIONS"]["host"],
                "-U",
                options["USER"],
                options["NAME"],
            ],
            check=False,
            capture_output=True,
            text=True,
        )
    found = re.search(r"tps = ([\d.]+) \(without", done.stdout)
    if done.returncode or not found or f"actually processed: {clients * share}/" not in done.stdout:
        raise SystemExit(f"pgbench failed:\n{done.stdout}\n{done.stderr[-2000:]}\n{text}")
    return float(found[1])


def _uuid(number: int) -> str:
    return f"00000000000040008000{number:012d}"
