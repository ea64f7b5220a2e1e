from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from console.errors import Refused
from console.fields import fold
from console.forms import clean_text
from console.people.actions import members


class Command(BaseCommand):
    help = "Creates another organization, emails its owner an invitation, and prints the link."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the organization's name")
        parser.add_argument("--owner", required=True, help="the owner's email address", metavar="EMAIL")

    def handle(self, *args: Any, name: str, owner: str, **options: Any) -> None:
        try:
            name, owner = clean_text(name), fold(owner)
            validate_email(owner)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        if not 0 < len(name) <= 120:
            raise CommandError("Enter a name of 1 to 120 characters.")
        try:
            organization, link = members.create_organization(name, owner=owner)
        except Refused as refusal:
            raise CommandError(refusal.sentence) from None
        self.stdout.write(
            f"Created {organization} ({organization.slug}). For seven days, {owner} can join it at\n{link}"
        )
