"""Custody's version: shown in the console's footer and in the OpenAPI document. CHANGELOG.md says what each one changed."""

VERSION = "0.2.0"
