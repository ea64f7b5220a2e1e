"""Which addresses a webhook may dial: public ones, and those in the networks that the operator allows."""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from console.errors import Refused

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], list[str]]

LONGEST = 500
# The only ports outside an allowed network: mail, databases and other services listen on other ones.
PORTS = {443, 8443}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_.])?\Z", re.IGNORECASE)
# All ranges registered for a special purpose. 168.63.129.16 reveals a machine's secrets on Azure.
_SPECIAL_4 = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
# The only part of IPv6 that is allocated; within it: Teredo and its neighbours, documentation ranges, 6to4.
_GIVEN_OUT = ip_network("2000::/3")
_SPECIAL_6 = [ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_NAT64 = [ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48")]


@dataclass(frozen=True)
class Target:
    """The destination of a webhook: the parts of its address."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Return host and port as the Host header spells them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """Return the parts of a webhook's address. Raises Refused (422) for one that could never be dialled.

    A numeric address is checked here too; what a name resolves to is known only when it is dialled.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _bad(_("This isn't a URL. Enter one like https://example.com/hooks.")) from None
    if not url.isascii() or not url.isprintable() or re.search(r"[\s\\]", url) or len(url) > LONGEST:
        raise _bad(_("Use ASCII characters without spaces, as copied from a browser."))
    if parts.scheme not in {"https", "http"} or not host:
        raise _bad(_("Enter the whole URL, starting with https://."))
    if "@" in parts.netloc:
        raise _bad(_("Remove the name and password from the URL; the signature identifies the caller."))
    if not (_literal(host) if parts.netloc.startswith("[") else _HOST.match(host)):
        raise _bad(_("The host name in this URL isn't valid. Enter a URL like https://example.com/hooks."))
    if parts.fragment:
        raise _bad(_("Remove the part after #; it is never sent."))
    if parts.scheme == "http" and not settings.WEBHOOK_NETWORKS:
        raise _bad(_("Use https. Plain http is only for networks that this server's operator allows."))
    path = parts.path or "/"
    target = Target(
        parts.scheme,
        host,
        port if port is not None else {"https": 443, "http": 80}[parts.scheme],
        f"{path}?{parts.query}" if parts.query else path,
    )
    if target.port not in PORTS and not settings.WEBHOOK_NETWORKS:
        raise _bad(_("Use port 443 or 8443."))
    figures = _in_figures(host)
    if figures is not None and not may_dial(figures, target):
        raise _forbidden(422)
    return target


def look_up(host: str, port: int) -> list[str]:
    """Return all addresses of a name, as the machine resolves it; a numeric address in any notation is its own."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def allowed(target: Target, resolve: Resolver = look_up) -> list[Address]:
    """Return the addresses to dial for this target, resolved once. Raises Refused if any of them may not be dialled.

    Nothing may resolve the name again: callers dial one of these addresses.
    """
    try:
        found = [ip_address(text) for text in resolve(target.host, target.port)]
    except (OSError, ValueError, UnicodeError):
        raise Refused("unresolved", _("The host name can't be resolved. Check the spelling.")) from None
    if not found:
        raise Refused("unresolved", _("The host name can't be resolved. Check the spelling."))
    for address in found:
        if not may_dial(address, target):
            raise _forbidden()
    return found


def may_dial(address: Address, target: Target) -> bool:
    """Whether exactly this address may be dialled for the target."""
    if is_allowed_by_operator(address):
        return True
    return target.scheme == "https" and target.port in PORTS and is_public(address)


def is_allowed_by_operator(address: Address) -> bool:
    """Whether CUSTODY_WEBHOOK_NETWORKS contains the address and the IPv4 address that it wraps, if it wraps one."""
    if getattr(address, "scope_id", None):
        return False
    if not any(address in network for network in settings.WEBHOOK_NETWORKS):
        return False
    inner = wrapped(address)
    return inner is None or is_public(inner) or is_allowed_by_operator(inner)


def is_public(address: Address) -> bool:
    """Whether the address is on the public Internet, and neither wraps another one nor has a special purpose."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _SPECIAL_4)
    if address.scope_id or address not in _GIVEN_OUT:
        return False
    return address.is_global and not any(address in network for network in _SPECIAL_6)


def wrapped(address: Address) -> IPv4Address | None:
    """Return the IPv4 address where packets to this IPv6 address end: mapped, compatible, NAT64, 6to4 or Teredo."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64) or 1 < int(address) < 2**32:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _literal(host: str) -> bool:
    try:
        return not getattr(ip_address(host), "scope_id", None)
    except ValueError:
        return False


def _in_figures(host: str) -> Address | None:
    """Return the address of a numeric host as the machine reads it: 2130706433 and 0x7f.1 are 127.0.0.1 too."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _forbidden(status: int = 409) -> Refused:
    sentence = _("Webhooks can't be sent to this network or port. Use a public https URL.")
    return Refused("address_not_allowed", sentence, status=status)


def _bad(sentence: str) -> Refused:
    return Refused("bad_address", sentence, status=422)
