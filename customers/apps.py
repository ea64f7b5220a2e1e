from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        """Register this app with the foundation. The lists that people see are ordered across apps."""
        _declare_handlers()
        # Models, and modules that import them, cannot be imported earlier.
        import customers.events  # noqa: F401
        from console import api_keys, first_steps, middleware, navigation, panels, search, settings_tabs
        from console import ledger_check as foundation
        from console.people.actions import members
        from console.webhooks.panels import bound
        from customers import navigation as own
        from customers import panels as own_panels
        from customers.directory import word_check
        from customers.directory.search import find
        from customers.first_steps import steps
        from customers.keys import credentials
        from customers.keys.actions import api_keys as key_actions
        from customers.people import roles
        from customers.people.actions import people
        from customers.projects import ledger_check
        from customers.projects.actions import members as project_members

        navigation.sidebar.add(own.entries)
        settings_tabs.sources.add(own.settings_tabs)
        first_steps.sources.add(steps, order=20)
        search.sources.add(find, order=20)
        panels.overview.add(own_panels.overview, order=30)
        own_panels.on_customer.add(bound, order=30)

        middleware.as_customer.add(roles.actor_for)
        api_keys.find.add(credentials.find)
        api_keys.is_usable.add(credentials.is_usable)
        api_keys.hold.add(credentials.hold)
        members.leaving.add(key_actions.revoke_of, order=10)
        members.leaving.add(project_members.end_all_of, order=30)
        members.leaving.add(people.leave_internal, order=30)

        for check in (word_check.check, ledger_check.check):
            foundation.checks.add(check)


def _declare_handlers() -> None:
    """Import the modules that declare handlers of operations."""
    from customers.imports import actions as imports  # noqa: F401
