"""Keeps claim codes and the secrets of mailed links out of every log."""

import logging
import re

# Claim links, invitations, the mailbox, new passwords, and the setup code.
PLACES = ("/c/", "/invitation/", "/mail/", "/password/reset/key/", "/setup/?code=")
CODE = re.compile(rf"({'|'.join(map(re.escape, PLACES))})[^\s\"'?/&]+", re.IGNORECASE)


class HideCodes(logging.Filter):
    """Replaces the code in a link with dots."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if any(place in message.lower() for place in PLACES):
            record.msg, record.args = hide(message), None
        return True


def hide(text: str) -> str:
    """Return the text with the codes in its links replaced by dots."""
    return CODE.sub(r"\1…", text)
