"""Simulates devices over the device API: they publish, answer calls, report their firmware and obey wipes."""

import math
import signal
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from console.models import Organization
from devices.simulator import fleet

# Half of the places that a server process has for waiting devices.
WAITING = 2


class Command(BaseCommand):
    """`manage.py simulate --devices 200`: runs until Ctrl-C, or for a number of seconds."""

    help = "Acts as devices of an organization over the device API. Devices without a secret get one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options: how many devices, of which organization, at which server, and for how long."""
        parser.add_argument("--devices", type=int, default=20)
        parser.add_argument("--organization", help="its slug; required if there are several")
        parser.add_argument("--base-url", default=settings.BASE_URL)
        parser.add_argument("--for", type=float, default=math.inf, dest="seconds", metavar="SECONDS")
        parser.add_argument("--every", type=float, default=30.0, metavar="SECONDS", help="between two measurements")
        parser.add_argument(
            "--waiting",
            type=int,
            default=WAITING,
            metavar="DEVICES",
            help=f"devices that hold a connection open for calls (default {WAITING}); the others poll now and then",
        )
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        """Choose the devices, run them, and print what they did."""
        self._check(options)
        found = fleet.choose(self._organization(options["organization"]), options["devices"])
        if not found:
            raise CommandError("No device without a secret is left. Register some, or load the demo.")
        connection.close()
        over = Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_args: over.set())
        units = fleet.make(
            found, options["base_url"], seed=options["seed"], every=options["every"], waiting=options["waiting"]
        )
        if len(units) < options["devices"]:
            self.stdout.write(
                f"Only {len(units)} of {options['devices']} devices can be simulated: no more are there without a "
                "secret of their own."
            )
        self.stdout.write(f"{len(units)} devices call {options['base_url']}. Ctrl-C stops them.")
        fleet.run(units, over, options["seconds"])
        totals = [sum(getattr(unit, name) for unit in units) for name in ("published", "answered", "wiped")]
        self.stdout.write(f"{totals[0]} messages published, {totals[1]} calls answered, {totals[2]} wipes confirmed.")

    def _check(self, options: dict[str, Any]) -> None:
        if options["devices"] < 1:
            raise CommandError("The number of --devices must be 1 or more.")
        if options["waiting"] < 0:
            raise CommandError("The number of devices --waiting must be 0 or more.")

    def _organization(self, slug: str | None) -> Organization:
        found = list(Organization.objects.filter(**({"slug": slug} if slug else {}))[:2])
        if len(found) != 1:
            raise CommandError("Name the organization: --organization with its slug.")
        return found[0]
