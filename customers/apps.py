from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        """Take part in what the foundation does."""
        # Models, and what imports them, can't be imported before.
        import customers.events  # noqa: F401
        from console import ledger_check as foundation
        from customers import ledger_check, word_check

        foundation.checks.add(word_check.check)
        foundation.checks.add(ledger_check.check)
