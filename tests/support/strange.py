"""Texts that somebody else chose, and what may be printed of them."""

from __future__ import annotations

import unicodedata

TITLE = "x\x1b]0;T\x07"
"""A directory's name that sets the title of a terminal."""

ZOO = {
    "a title": (TITLE, r"x\x1b]0;T\x07"),
    "a colour": ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    "lines": ("a\nhint: run this\r\nb", r"a\nhint: run this\r\nb"),
    "a tab": ("a\tb", r"a\tb"),
    "a backspace": ("a\x08\x7fb", r"a\x08\x7fb"),
    "C1": ("\x9b31m\x85\x90", r"\x9b31m\x85\x90"),
    "an override": ("a\u202etxt.exe", r"a\u202etxt.exe"),
    "isolates": ("\u2066a\u2069\u200e\u200f\u061c", r"\u2066a\u2069\u200e\u200f\u061c"),
    "separators": ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
    "half a pair": ("a\ud83db\udcff", r"a\ud83db\udcff"),
    "plain": ("größe 日本\u3000語 👩\u200d💻 \u00a0\ue0b0", "größe 日本\u3000語 👩\u200d💻 \u00a0\ue0b0"),
    "marks": ("a\\x1b\"b',|$(c)`d`%e", "a\\x1b\"b',|$(c)`d`%e"),
}
"""Texts, and how a line shows them."""

NAME = "".join(text for name, (text, _) in ZOO.items() if name not in ("half a pair", "marks"))
"""A directory's name with everything that a directory's name can hold."""

SHOWN = "".join(shown for name, (_, shown) in ZOO.items() if name not in ("half a pair", "marks"))
"""How a line shows it."""

_DIRECTIONS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


def obeyed(text: str) -> list[str]:
    """The characters of a text that a terminal would obey rather than show, by what Unicode says of them."""
    return [
        character
        for character in text
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in _DIRECTIONS
        or character in "\u200e\u200f\u061c"
    ]


def is_inert(output: str, *, tabs: bool = False) -> bool:
    """Whether output holds nothing that a terminal would obey, but for the ends of its lines."""
    return set(obeyed(output)) <= ({"\n", "\t"} if tabs else {"\n"})
