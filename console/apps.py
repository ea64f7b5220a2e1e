from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        """Register the system checks, and take part where the foundation is one of several apps."""
        # Models, and what imports them, can't be imported before.
        import console.events
        import console.people.events
        import console.webhooks.events  # noqa: F401
        from console import checks, navigation, settings_tabs, slot_checks  # noqa: F401
        from console.audit import checks as audit_checks  # noqa: F401
        from console.audit import log
        from console.people.actions import members
        from console.webhooks import actions as webhooks
        from console.webhooks import checks as webhook_checks  # noqa: F401
        from console.webhooks import fanout

        log.followers.add(fanout.on_event)
        navigation.sidebar.add(navigation.entries)
        settings_tabs.sources.add(settings_tabs.own)
        # After the person's keys are revoked, which removes the webhooks of these.
        members.leaving.add(webhooks.leave_person, order=20)
