"""The import of a large manifest in a fresh process, against bare inserts of the same rows."""

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from django.db import connection, transaction

from bench import timing
from bench.data import execute, is_postgresql, settle, start
from bench.report import Line, per_second
from console import sql
from devices.identifiers import luhn_digit
from devices.models import Device, Product

MEMORY = 150.0
ROUNDS = 3
HEADER = ["serial_number", "device_name", "imei", "iccid", "mac", "hardware_revision", "manufactured_at", "secret"]


def manifest(path: Path, count: int) -> None:
    """Write a factory's file: all columns filled, check digits valid, in the order of the serial numbers only."""
    random = Random(2611)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(count):
            imei, iccid = f"35265610{number:06d}", f"894450{random.randrange(10**6):06d}{number:06d}"
            mac = ":".join(f"{byte:02X}" for byte in (0xE04F43000000 + number).to_bytes(6, "big"))
            writer.writerow(
                [
                    f"AQM26-{number:07d}",
                    f"e00fce68{random.getrandbits(32):08x}{number:08x}",
                    imei + luhn_digit(imei),
                    iccid + luhn_digit(iccid),
                    mac,
                    "C1",
                    "2026-11-02",
                    f"{random.getrandbits(250):043x}",
                ]
            )


def import_file(product: Product, path: Path) -> dict[str, float]:
    """Run Custody's import in a process of its own, which reports its seconds and its peak memory."""
    connection.close()
    done = subprocess.run(
        [sys.executable, "-m", "bench.import_once", str(product.pk), str(path)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    return json.loads(done.stdout.splitlines()[-1])


def empty_tables() -> None:
    """Delete the devices and everything that was derived from them."""
    if is_postgresql():
        # Triggers protect history; only an administrator of the database can disable them.
        execute(
            f"SET session_replication_role = replica; TRUNCATE {sql.table(Device)}, console_event, "
            "devices_manifestimport, console_operation CASCADE; RESET session_replication_role"
        )
    else:
        for table in (
            "devices_devicetag",
            "devices_ownership",
            "claims_claimcode",
            "devices_device",
            "console_event",
            "devices_manifestimport",
        ):
            _delete_all(table)
    settle()


def _delete_all(table: str) -> None:
    """Delete the rows on SQLite, without the trigger that protects a table of history."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s AND "
            "name LIKE '%%undeletable%%'",
            [table],
        )
        kept = cursor.fetchall()
        for name, _sql in kept:
            cursor.execute(f"DROP TRIGGER {sql.quote(name)}")
        cursor.execute(f"DELETE FROM {sql.quote(table)}")
        for _name, statement in kept:
            cursor.execute(statement)


class Floor:
    """Writes the same rows into the same table with nothing else: by COPY, or by bulk_create on SQLite."""

    def __init__(self) -> None:
        self.columns = [field.column for field in Device._meta.concrete_fields]
        self.rows: Any = self._copied_out() if is_postgresql() else list(Device.objects.order_by("pk"))

    def write(self) -> None:
        """Write the rows in one transaction."""
        with transaction.atomic():
            if is_postgresql():
                with connection.cursor() as cursor, cursor.copy(self._copy("FROM STDIN")) as copy:
                    while block := self.rows.read(1 << 16):
                        copy.write(block)
            else:
                Device.objects.bulk_create(self.rows)
        if is_postgresql():
            self.rows.seek(0)

    def _copied_out(self) -> StringIO:
        text = StringIO()
        connection.ensure_connection()
        with connection.cursor() as cursor, cursor.copy(self._copy("TO STDOUT")) as copy:
            for block in copy:
                text.write(bytes(block).decode())
        text.seek(0)
        return text

    def _copy(self, direction: str) -> str:
        return f"COPY {sql.table(Device)} ({', '.join(map(sql.quote, self.columns))}) {direction}"


def measure(count: int) -> Iterator[Line]:
    """Run the import and its floor in turns, each into empty tables."""
    product = start("Northlake").products[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.csv"
        manifest(path, count)
        ours, theirs, memory, floor = [], [], [], None
        for _round in range(ROUNDS):
            empty_tables()
            found = import_file(product, path)
            assert Device.objects.count() == count
            ours.append(found["seconds"])
            memory.append(found["megabytes"])
            floor = floor or Floor()
            empty_tables()
            theirs.append(timing.seconds(floor.write))
            assert Device.objects.count() == count
    peer, least = ("COPY", 0.3) if is_postgresql() else ("bulk_create", 0.5)
    yield Line(
        f"import of {count:,} rows, file to committed, against {peer}",
        per_second(count, median(ours)),
        per_second(count, median(theirs)),
        median(theirs) / median(ours),
        least=least,
    )
    yield Line(
        f"import of {count:,} rows, largest size in memory",
        f"{max(memory):.0f} MiB",
        "–",
        max(memory),
        most=MEMORY,
        unit="MiB",
    )
