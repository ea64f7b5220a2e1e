"""Customer files: what they contain, how a row becomes a customer, and how checked rows are written."""

from customers.imports.kind import CustomerFileKind

__all__ = ["CustomerFileKind"]
