"""Panels: what apps show on pages of others.

The template of a page names the slot: `{% panels "console.panels.overview" %}`.
"""

from console.requests import Request
from console.slots import Slot

# On the first page of the console; nothing is its subject.
overview: Slot[[Request, None], str] = Slot("console.panels.overview")
