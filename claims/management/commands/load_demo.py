"""manage.py load_demo"""

from typing import Any

from django.core.management.base import BaseCommand

from claims.demo import load as demo


class Command(BaseCommand):
    help = "Load the demo organization unless it already exists, and print its sign-ins."

    def handle(self, *args: Any, **options: Any) -> None:
        demo.load()
        rows = demo.sign_ins()
        width = max(len(role) for role, _email, _how in rows), max(len(email) for _role, email, _how in rows)
        self.stdout.write("\nDemo sign-ins (role, address, password):")
        for role, email, how in rows:
            self.stdout.write(f"  {role:{width[0]}}  {email:{width[1]}}  {how}")
