from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        """Register the system checks, and fill the slots in which the foundation itself takes part."""
        # Models, and modules that import them, can't be imported earlier.
        import console.events
        import console.people.events
        import console.webhooks.events  # noqa: F401
        from console import checks, mail, navigation, operations, policies, settings_tabs, slot_checks, tasks  # noqa: F401
        from console.audit import checks as audit_checks  # noqa: F401
        from console.audit import log
        from console.models.organization import is_set_up
        from console.operations import checks as operation_checks  # noqa: F401
        from console.people.actions import members
        from console.webhooks import actions as webhooks
        from console.webhooks import checks as webhook_checks  # noqa: F401
        from console.webhooks import delivery, fanout

        log.followers.add(fanout.on_event)
        fanout.nudge.add(tasks.nudge_webhooks)
        delivery.is_gone.add(webhooks.disable_gone)
        delivery.is_failing.add(webhooks.disable_failing)
        mail.enqueue.add(tasks.deliver_mail.enqueue)
        operations.enqueue.add(tasks.queue_operation)
        operations.queued.add(tasks.queued_operations)
        policies.is_set_up.add(is_set_up)
        navigation.sidebar.add(navigation.entries)
        settings_tabs.sources.add(settings_tabs.own)
        # After the person's keys are revoked, because that removes the webhooks of these keys.
        members.leaving.add(webhooks.leave_person, order=20)
