"""Panels: what apps show on other apps' pages.

The template of a page names the slot: `{% panels "console.panels.overview" %}`.
"""

from console.requests import Request
from console.slots import Slot

# On the first page of the console, which has no subject.
overview: Slot[[Request, None], str] = Slot("console.panels.overview")
