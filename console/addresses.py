"""Email addresses: how two are compared, and how one is written on the envelope (RFC 3490: domains in ASCII)."""

import unicodedata

from console.fields import fold

# The Chinese and Japanese full stop also separates the labels of a domain.
_STOPS = str.maketrans({"\u3002": "."})


def normal(text: str) -> str:
    """Return the form in which addresses are stored and compared: folded, with the domain in Unicode.

    `J@XN--M-WRME-3WA4N.example` and `j@MÜ-Wärme.example` are the same address.
    """
    local, at, domain = text.strip().rpartition("@")
    return f"{fold(local)}@{fold(_in_letters(domain.lower()))}" if at else fold(text)


def is_twin(text: str) -> bool:
    """Whether folding turns the address into a different one, whose owner must not receive this one's mail."""
    local, _at, domain = text.strip().rpartition("@")
    plain = f"{local.lower()}@{_in_letters(domain.lower())}"
    return unicodedata.normalize("NFC", plain) != normal(text)


def envelope(text: str) -> str:
    """Return the address in ASCII, as mail servers accept it. Raises ValueError if that is not possible."""
    local, _at, domain = text.strip().rpartition("@")
    if not local.isascii() or not local.isprintable():
        raise ValueError(f"The part before the @ of {text} is not plain ASCII; mail for it can't be sent from here.")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def _in_letters(domain: str) -> str:
    return ".".join(_label(label) for label in domain.translate(_STOPS).split("."))


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        # The label does not survive a round trip through Unicode, so it stays as it is.
        return label
