"""Recognises a scanner that is set to another keyboard than the computer it types on.

A gun presses keys, it sends no letters: set to a US keyboard on a computer with a German one, its `-` becomes `ß` and
`https://` becomes `httpsÖ--`.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

# For each keyboard: what a key of a US keyboard gives there, where that differs, and those that wait for another key.
# From the layouts of xkeyboard-config. What several countries share stands for all of them.
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
# A longer text is nothing that a label holds.
MOST_CHARACTERS = 400
_COMMON = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -_./:")
_LINKS = ("http://", "https://")


@dataclass(frozen=True)
class Guess:
    """What the text would be if scanner and computer had the same keyboard, and which keyboards differ then."""

    text: str
    typed: str
    keyboards: tuple[Any, ...]
    is_from_us: bool

    @property
    def is_link(self) -> bool:
        """Whether it becomes a link by this: no other text does."""
        return self.text[:8].lower().startswith(_LINKS)

    @property
    def is_evident(self) -> bool:
        """Whether the text can hardly have been printed as it was typed.

        It is not where only letters changed places: AZ1 for AY1 may be another unit.
        """
        return self.is_link or not _COMMON.issuperset(self.typed) or _letters(self.text) == _letters(self.typed)

    @property
    def sentence(self) -> str:
        """What is wrong with the scanner, and what to do about it."""
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
    """What the text may have been before the keyboards changed it, each once; nothing where no keyboard explains it."""
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
    """For each keyboard and each direction what was printed, by what was typed."""
    there, back = [], []
    for name, pairs, dead in _KEYBOARDS:
        keys = {key: key for key in _US} | {pair[0]: pair[1] for pair in pairs.split(" ")}
        keys = {key: sign for key, sign in keys.items() if key not in dead}
        there.append((name, {sign: key for key, sign in keys.items()}, True))
        back.append((name, keys, False))
    return there + back


_TABLES = _tables()
