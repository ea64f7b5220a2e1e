from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"

    def ready(self) -> None:
        """Take part in what the ledger and the foundation do."""
        # Models, and what imports them, can't be imported before.
        import devices.calls.events
        import devices.edited_exports.events
        import devices.events
        import devices.manifest.events  # noqa: F401
        from console import ledger_check as foundation
        from console import upkeep
        from devices import ledger, ledger_check, webhooks, word_check
        from devices.calls import actions as calls
        from devices.messages import actions as messages
        from devices.messages import ledger_check as message_check

        # After claims: what is revoked with an ownership is revoked first.
        ledger.followers.add(messages.follow_ledger, order=10)
        ledger.followers.add(calls.follow_ledger, order=10)
        messages.followers.add(webhooks.follow_messages)

        for check in (word_check.check, ledger_check.check, message_check.check):
            foundation.checks.add(check)
        for chore in (calls.expire, messages.settle_recent, messages.forget_old):
            upkeep.chores.add(chore)
