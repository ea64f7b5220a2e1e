"""Where label files lie."""

from datetime import timedelta

from console.files import Store

STORE = Store("labels", kept=timedelta(days=7))
