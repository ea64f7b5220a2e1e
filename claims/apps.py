from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"

    def ready(self) -> None:
        """Take part in what devices and the foundation do."""
        # Models, and what imports them, can't be imported before.
        import claims.labels.events
        import claims.profiles.events
        import claims.redemption.events
        import claims.returns.events
        import claims.shipments.events  # noqa: F401
        from claims import ledger_check
        from claims.labels import files as labels
        from claims.profiles import links
        from claims.profiles.actions import codes, profiles
        from claims.returns import ledger_check as return_check
        from claims.returns.actions import returns
        from claims.shipments import ledger_check as shipment_check
        from claims.shipments.actions import shipments
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
        for chore in (shipments.forget_scans, labels.forget_old):
            upkeep.chores.add(chore)
