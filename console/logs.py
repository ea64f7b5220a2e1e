"""Keeps claim codes out of every log."""

import logging
import re

CODE = re.compile(r"(/c/)[^\s\"'?/]+", re.IGNORECASE)


class HideCodes(logging.Filter):
    """Replaces the code in a claim link with dots."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/c/" in message.lower():
            record.msg, record.args = hide(message), None
        return True


def hide(text: str) -> str:
    """The text with the codes in its claim links replaced."""
    return CODE.sub(r"\1…", text)
