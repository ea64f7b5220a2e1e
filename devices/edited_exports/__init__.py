"""The round trip: a list of devices is exported, edited in a spreadsheet, and comes back as changes."""

from devices.edited_exports.kind import RoundTripKind

__all__ = ["RoundTripKind"]
