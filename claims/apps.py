from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"

    def ready(self) -> None:
        """Register this app with the apps below. The `order` of entries that people see is shared across apps."""
        _declare_handlers()
        # Models, and modules that import them, can't be imported before this point.
        import claims.labels.events
        import claims.profiles.events
        import claims.redemption.events
        import claims.returns.events
        import claims.returns.undos
        import claims.shipments.events  # noqa: F401

        _join_pages()
        _join_sign_in()
        _join_ledger()
        _join_rooms()


def _join_pages() -> None:
    from claims import navigation as own
    from claims.first_steps import steps
    from claims.profiles import panels as profiles
    from claims.profiles.search import find as find_profiles
    from claims.returns import panels as returns
    from claims.returns.search import find as find_returns
    from claims.shipments import panels as shipments
    from claims.shipments.search import find as find_shipments
    from console import first_steps, navigation, panels, search, settings_tabs
    from customers.panels import on_customer
    from devices.panels import on_device

    navigation.sidebar.add(own.entries)
    settings_tabs.sources.add(own.settings_tabs)
    first_steps.sources.add(steps, order=30)
    for find in (find_profiles, find_returns, find_shipments):
        search.sources.add(find, order=30)
    panels.overview.add(profiles.overview, order=20)
    for device_panel in (profiles.device_claim_code, returns.device_returns, shipments.device_shipment):
        on_device.add(device_panel)
    for customer_panel in (profiles.customer_claims, returns.customer_returns, shipments.customer_shipments):
        on_customer.add(customer_panel, order=20)


def _join_sign_in() -> None:
    from claims.redemption import session
    from console.people import errands

    errands.pending_url.add(session.pending_url)
    errands.take.add(session.take)
    errands.put.add(session.put)
    errands.counted_by.add(session.usable_code)
    errands.expired.add(session.expired)


def _join_ledger() -> None:
    from claims.labels.files import STORE as label_files
    from claims.profiles import links
    from claims.profiles.actions import codes, profiles
    from claims.redemption import ledger_check
    from claims.returns import ledger_check as return_check
    from claims.returns.actions import returns
    from claims.shipments import ledger_check as shipment_check
    from claims.shipments.actions import contents
    from console import ledger_check as foundation
    from console import upkeep
    from devices import ledger, link_slots
    from devices.actions import take_ownership

    ledger.followers.add(codes.follow_ledger)
    ledger.followers.add(returns.follow_ledger)
    take_ownership.has_replaced_label.add(codes.is_replaced)
    link_slots.for_page.add(links.for_page)
    link_slots.in_words.add(links.in_words)
    link_slots.leave.add(profiles.take_out)

    for check in (ledger_check.check, return_check.check, shipment_check.check):
        foundation.checks.add(check)
    for chore in (contents.delete_old_scans, label_files.delete_old):
        upkeep.chores.add(chore)


def _declare_handlers() -> None:
    """Import the modules that declare operation handlers."""
    from claims.labels import actions as labels  # noqa: F401
    from claims.profiles.actions import codes  # noqa: F401
    from claims.returns.actions import inspection, inspection_undo, receipt_undo, returns  # noqa: F401
    from claims.shipments.actions import shipping  # noqa: F401


def _join_rooms() -> None:
    from claims.redemption import parcels
    from claims.shipments import parcels as shipments

    parcels.given_by.add(shipments.given_by)
    parcels.packed_in.add(shipments.packed_in)
    parcels.take_out.add(shipments.take_out)
