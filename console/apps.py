from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        """Register the system checks."""
        # Models, and what imports them, can't be imported before.
        import console.events
        import console.people.events
        import console.webhooks.events  # noqa: F401
        from console import checks  # noqa: F401
        from console.audit import checks as audit_checks  # noqa: F401
