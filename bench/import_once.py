"""Imports one manifest into one product and prints how long it took and how large this process became."""

import json
import resource
import sys
import time
from io import StringIO

import django


def main(product_id: str, path: str) -> None:
    """The clock runs from the opened file to the last commit; Python and Django start before it."""
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from devices.models import Product

    product = Product.objects.get(pk=product_id)
    connection.ensure_connection()
    start = time.perf_counter()
    call_command("import_devices", product.slug, path, apply=True, stdout=StringIO())
    seconds = time.perf_counter() - start
    print(
        json.dumps(
            {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
