"""Custody's version: shown in the console's footer and in the OpenAPI document. CHANGELOG.md lists the changes."""

VERSION = "0.2.0"
