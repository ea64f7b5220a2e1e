from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        """Register the system checks."""
        # Models, and what imports them, can't be imported before.
        from console import checks  # noqa: F401
