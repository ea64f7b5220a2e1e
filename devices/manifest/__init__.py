"""Reads factory manifests as devices: cleaned, checked, and compared with what is registered."""

from devices.manifest.kind import COLUMNS, ManifestKind

__all__ = ["COLUMNS", "ManifestKind"]
