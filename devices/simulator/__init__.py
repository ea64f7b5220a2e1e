"""Simulated devices, which call the real device API over HTTP, as a fleet would."""
