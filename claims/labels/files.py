"""The store for label files."""

from datetime import timedelta

from console.files import Store

STORE = Store("labels", kept=timedelta(days=7))
