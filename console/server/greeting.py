"""The message that a person reads when the server is up."""

from django.conf import settings
from django.urls import reverse

from console import keys
from console.models import Organization


def greeting() -> str:
    """Return what a person needs to know when the server is up: the address, how to sign in, where the mail is."""
    lines = ["", f"Custody is at {settings.BASE_URL}", ""]
    if Organization.objects.exists():  # unscoped: asks only whether the server is set up
        lines += ["Sign in:", f"  {settings.BASE_URL}{reverse('account_login')}"]
    else:
        code = keys.read(settings.DATA_DIR, keys.SETUP_FILE)
        lines += [
            "Create your organization with this link, which works once:",
            f"  {settings.BASE_URL}{reverse('console:setup')}?code={code}",
        ]
    if not settings.MAIL_URL:
        key = keys.read(settings.DATA_DIR, keys.MAILBOX_FILE)
        lines += [
            "",
            "No mail server is configured, so emails are stored here for you to read:",
            f"  {settings.BASE_URL}{reverse('console:mail_open', args=[key])}",
        ]
    return "\n".join(lines)
