"""Devices that are none: they call the real device API over HTTP, as a fleet would."""
