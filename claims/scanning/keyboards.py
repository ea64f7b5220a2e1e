"""Detects scanners whose keyboard layout differs from that of the computer.

A scanner sends key presses, not letters: if it is set to a US keyboard and the computer to a German one, `-` becomes
`ß` and `https://` becomes `httpsÖ--`.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

# For each layout: pairs of a US key and its character there, where they differ, and the keys that wait for another one.
# Source: xkeyboard-config. Countries with the same layout share one entry.
_KEYBOARDS: tuple[tuple[Any, str, str], ...] = (
    (
        gettext_lazy("German"),
        "~° @\" #§ ^& &/ *( () )= -ß _? zy YZ [ü {Ü ]+ }* ;ö :Ö 'ä \"Ä \\# |' yz ZY <; >: /- ?_",
        "`=+",
    ),
    (
        gettext_lazy("Swiss"),
        "`§ ~° !+ @\" #* $ç ^& &/ *( () )= -' _? zy YZ [ü {è }! ;ö :é 'ä \"à \\$ |£ yz ZY <; >: /- ?_",
        "=+]",
    ),
    (
        gettext_lazy("French"),
        "`² 1& !1 2é @2 3\" #3 4' $4 5( %5 6- ^6 7è &7 8_ *8 9ç (9 0à )0 -) _° qa QA wz WZ ]$ }£ aq AQ "
        ";m :M 'ù \"% \\* |µ zw ZW m, M? ,; <. .: >/ /! ?§",
        "[{",
    ),
    (
        gettext_lazy("Belgian"),
        "`² ~³ 1& !1 2é @2 3\" #3 4' $4 5( %5 6§ ^6 7è &7 8! *8 9ç (9 0à )0 -) _° =- +_ qa QA wz WZ ]$ "
        "}* aq AQ ;m :M 'ù \"% \\µ |£ zw ZW m, M? ,; <. .: >/ /= ?+",
        "[{",
    ),
    (gettext_lazy("Spanish"), "`º ~ª @\" #· ^& &/ *( () )= -' _? =¡ +¿ ]+ }* ;ñ :Ñ \\ç |Ç <; >: /- ?_", "[{'\""),
    (
        gettext_lazy("Italian"),
        "`\\ ~| @\" #£ ^& &/ *( () )= -' _? =ì +^ [è {é ]+ }* ;ò :ç 'à \"° \\ù |§ <; >: /- ?_",
        "",
    ),
    (gettext_lazy("Portuguese"), "`\\ ~| @\" ^& &/ *( () )= -' _? =« +» [+ {* ;ç :Ç 'º \"ª <; >: /- ?_", "]}\\|"),
    (gettext_lazy("Swedish"), "`§ ~½ @\" $¤ ^& &/ *( () )= -+ _? [å {Å ;ö :Ö 'ä \"Ä \\' |* <; >: /- ?_", "=+]}"),
    (gettext_lazy("Danish"), "`½ ~§ @\" $¤ ^& &/ *( () )= -+ _? [å {Å ;æ :Æ 'ø \"Ø \\' |* <; >: /- ?_", "=+]}"),
    (gettext_lazy("Norwegian"), "`| ~§ @\" $¤ ^& &/ *( () )= -+ _? =\\ [å {Å ;ø :Ø 'æ \"Æ \\' |* <; >: /- ?_", "+]}"),
)
_US = "".join(map(chr, range(0x20, 0x7F)))
# Longer texts do not come from labels.
MOST_CHARACTERS = 400
_COMMON = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -_./:")
_LINKS = ("http://", "https://")


@dataclass(frozen=True)
class Guess:
    """The text as it would be if scanner and computer had the same layout, and the layouts that explain it."""

    text: str
    typed: str
    keyboards: tuple[Any, ...]
    is_from_us: bool

    @property
    def is_link(self) -> bool:
        """Whether the text is a link. No other text becomes a link by a wrong layout."""
        return self.text[:8].lower().startswith(_LINKS)

    @property
    def is_evident(self) -> bool:
        """Whether the typed text is very unlikely to be what was printed.

        False if only letters changed: AZ1 instead of AY1 may be another device.
        """
        return self.is_link or not _COMMON.issuperset(self.typed) or _letters(self.text) == _letters(self.typed)

    @property
    def sentence(self) -> str:
        """Return what is wrong with the scanner's settings and how to correct them."""
        names = [str(each) for each in self.keyboards]
        words = {"keyboard": names[0], "others": ", ".join(names[1:])}
        if self.is_from_us:
            said = _(
                "Your scanner types with a %(keyboard)s layout: it sends US keys and this computer reads them as "
                "%(keyboard)s. Set the scanner to a %(keyboard)s keyboard."
            )
        else:
            said = _(
                "Your scanner types with a %(keyboard)s layout, but this computer has a US keyboard. Set the "
                "scanner to a US keyboard."
            )
        if len(names) > 1:
            said += " " + ngettext(
                "(It could also be %(others)s.)", "(It could also be one of %(others)s.)", len(names) - 1
            )
        return said % words


def guesses(text: str) -> list[Guess]:
    """Return the distinct texts that layouts may have changed into this one; empty if no layout explains it."""
    if not text or len(text) > MOST_CHARACTERS:
        return []
    found: dict[tuple[str, bool], list[Any]] = {}
    for name, to_printed, is_from_us in _TABLES:
        if all(character in to_printed for character in text):
            printed = "".join([to_printed[character] for character in text])
            if printed != text:
                found.setdefault((printed, is_from_us), []).append(name)
    return [Guess(printed, text, tuple(names), is_from_us) for (printed, is_from_us), names in found.items()]


def _letters(text: str) -> list[str]:
    return [character for character in text if character.isascii() and character.isalnum()]


def _tables() -> list[tuple[Any, dict[str, str], bool]]:
    """Return (name, printed character by typed character, is_from_us) for each layout in both directions."""
    there, back = [], []
    for name, pairs, dead in _KEYBOARDS:
        keys = {key: key for key in _US} | {pair[0]: pair[1] for pair in pairs.split(" ")}
        keys = {key: sign for key, sign in keys.items() if key not in dead}
        there.append((name, {sign: key for key, sign in keys.items()}, True))
        back.append((name, keys, False))
    return there + back


_TABLES = _tables()
