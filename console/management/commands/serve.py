"""manage.py serve"""

import errno
import io
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from console.server import predecessor
from console.server import supervisor as serve
from console.server.preparation import prepare


class Command(BaseCommand):
    help = "Brings the database up to date, then serves console, portal and API, and runs the workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="Load a demo organization once, and simulate some of its devices."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        where, told = serve.bind(), io.StringIO()
        predecessor.end(serve.notes(), partial(serve.probe, where))
        try:
            serve.probe(where)
        except (OSError, OverflowError) as error:
            raise CommandError(self.why_not(where, error)) from error
        try:
            prepare()
        except OperationalError as error:
            raise CommandError(f"The database isn't responding: {str(error).strip()}") from error
        except OSError as error:
            raise CommandError(f"CUSTODY_DATA can't be written: {error}") from error
        if options["demo"]:
            self.say("Loading the demo organization, unless it is already there…")
            call_command("load_demo", stdout=told)
        also = settings.DEMO_ALSO if options["demo"] else {}
        if not serve.run(self.say, told.getvalue().rstrip(), also):
            raise CommandError("The server didn't start; see the output above.")

    def why_not(self, where: str, error: Exception) -> str:
        """Return the sentence for an address on which the server can't listen."""
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            return f"Something is already listening on {where}. Stop it, or choose another PORT."
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        return f"The server can't listen on {where}: {reason}. Check PORT and CUSTODY_BIND."

    def say(self, text: str) -> None:
        """Print the text at once, also if the output is not a terminal."""
        self.stdout.write(text)
        self.stdout.flush()

    def execute(self, *args: Any, **options: Any) -> None:
        try:
            super().execute(*args, **options)
        except KeyboardInterrupt:
            # Ctrl-C before there was anything to stop.
            raise SystemExit(130) from None
