"""Imports one manifest into one product and prints the time it took and this process's peak memory."""

import json
import re
import sys
import time
from io import StringIO
from pathlib import Path

import django


def largest_size() -> float:
    """Return the peak memory of this process, in MiB. `getrusage` would include its parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main(product_id: str, path: str) -> None:
    """Import the file. The clock runs from the opened file to the last commit; Python and Django start before it."""
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from devices.models import Product

    product = Product.objects.get(pk=product_id)
    connection.ensure_connection()
    start = time.perf_counter()
    call_command("import_devices", product.slug, path, apply=True, stdout=StringIO())
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "megabytes": largest_size()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
