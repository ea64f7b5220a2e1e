"""Parses host names as people type them, and refuses anything else."""

import ipaddress
import re
import unicodedata
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from console.errors import Refused

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
# Browsers and the older standard that Python supports convert these to different names.
_AMBIGUOUS = "ßς\u200c\u200d"
_NUMBERS = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")


def parse(text: str) -> str:
    """Return the host name in lower case and ASCII: `Müller.example` is `xn--mller-kva.example`.

    Raises Refused for an address with a scheme, a user, a port or a path, for IP addresses in any notation, for a name
    that ends with a dot, and for one without a dot unless it is the base URL's own.
    """
    text = unicodedata.normalize("NFKC", text.strip())
    if any(mark in text for mark in ":/?#@\\%*[] " + _AMBIGUOUS):
        raise Refused("not_a_host", _("Enter the host name only, such as claim.example.com."), status=422)
    try:
        host = text.encode("idna").decode().lower()
    except UnicodeError:
        host = ""
    labels = host.split(".")
    if not host or len(host) > 253 or not all(_LABEL.match(label) for label in labels):
        raise Refused("not_a_host", _("This isn’t a host name. Enter one like claim.example.com."), status=422)
    if _NUMBERS.match(labels[-1]) or _is_address(host):
        raise Refused("an_address", _("This is an IP address. Enter a name, such as claim.example.com."), status=422)
    if (len(labels) == 1 or labels[-1] == "localhost") and host != urlsplit(settings.BASE_URL).hostname:
        raise Refused("not_public", _("Customers can't reach this name. Enter one like claim.example.com."), status=422)
    return host


def is_served(host: str) -> bool:
    """Whether this server answers to the name. Requests for other names are refused before any page is looked up."""
    return host in settings.ALLOWED_HOSTS


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
