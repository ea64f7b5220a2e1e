"""Edited exports: a list of devices is exported, edited in a spreadsheet, and uploaded again as changes."""

from devices.edited_exports.kind import RoundTripKind

__all__ = ["RoundTripKind"]
