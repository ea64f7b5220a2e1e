from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"

    def ready(self) -> None:
        """Register what this app contributes to lower apps. Lists that people see are ordered across apps."""
        _declare_handlers()
        # Imported here because models can't be imported before all apps are loaded.
        import devices.calls.events
        import devices.edited_exports.events
        import devices.events
        import devices.manifest.events
        import devices.messages.events
        import devices.undos  # noqa: F401

        _join_pages()
        _join_ledger()


def _join_pages() -> None:
    from console import first_steps, navigation, search
    from console import panels as foundation_panels
    from console.webhooks.panels import bound
    from customers.panels import on_customer
    from devices import navigation as own
    from devices import panels
    from devices.calls.panels import device_messages
    from devices.first_steps import steps
    from devices.search import find

    navigation.sidebar.add(own.entries)
    first_steps.sources.add(steps, order=10)
    search.sources.add(find, order=10)
    foundation_panels.overview.add(panels.overview, order=10)
    on_customer.add(panels.customer_devices, order=10)
    panels.on_product.add(bound)
    panels.on_device_main.add(device_messages)


def _join_ledger() -> None:
    from console import ledger_check as foundation
    from console import upkeep
    from devices import ledger, ledger_check, word_check
    from devices.calls import actions as calls
    from devices.messages import actions as messages
    from devices.messages import ledger_check as message_check
    from devices.messages import webhooks

    # After claims: codes and returns come first.
    ledger.followers.add(messages.follow_ledger, order=10)
    ledger.followers.add(calls.follow_ledger, order=10)
    messages.followers.add(webhooks.on_messages)

    for check in (word_check.check, ledger_check.check, message_check.check):
        foundation.checks.add(check)
    for chore in (calls.expire, messages.settle_recent, messages.delete_old):
        upkeep.chores.add(chore)


def _declare_handlers() -> None:
    """Import the modules that declare handlers of operations."""
    from devices.actions import ownership, undo  # noqa: F401
    from devices.edited_exports import actions as edited_exports  # noqa: F401
    from devices.manifest import actions as manifest  # noqa: F401
