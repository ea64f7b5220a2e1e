"""Email addresses: how two are compared, and how one is written on the envelope (RFC 3490: domains in ASCII)."""

import unicodedata

from console.fields import fold

# The full stop of Chinese and Japanese is one in domains too.
_STOPS = str.maketrans({"\u3002": "."})


def normal(text: str) -> str:
    """The form in which addresses are kept and compared: folded, the domain in letters however it was written.

    `J@XN--M-WRME-3WA4N.example` and `j@MÜ-Wärme.example` are one.
    """
    local, at, domain = text.strip().rpartition("@")
    return f"{fold(local)}@{fold(_in_letters(domain.lower()))}" if at else fold(text)


def is_twin(text: str) -> bool:
    """Whether an address becomes another one by folding: its owner must not get what is meant for that one."""
    local, _at, domain = text.strip().rpartition("@")
    plain = f"{local.lower()}@{_in_letters(domain.lower())}"
    return unicodedata.normalize("NFC", plain) != normal(text)


def envelope(text: str) -> str:
    """The address in ASCII, as mail servers take it. Raises ValueError where it can't be written so."""
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
        # Nothing that this server could write in letters and back; it stays as it is.
        return label
