"""Numbers as a person sees them: what YAML 1.1 reads otherwise than in decimal is no number here."""

from __future__ import annotations

_DECIMAL = r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.([0-9]+|inf|Inf|INF)|\.(nan|NaN|NAN)"
_LONGEST = 20
_LARGEST = 10**30


class OddNumber:
    """A plain text that YAML reads as a number, and not as the one that a person sees: 05000, 0x1388, 12:30, 5_000."""

    __slots__ = ("text", "value")

    def __init__(self, text: str, value: object) -> None:
        self.text = text
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OddNumber) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def instead(self) -> str | None:
        """The number in decimal, where it is plain which one is meant."""
        plain = self.text.replace("_", "")
        if plain.isascii() and plain.isdigit() and plain.strip("0"):
            return plain.lstrip("0")
        if plain.lstrip("+-")[:2].lower() in ("0x", "0b") and isinstance(self.value, int) and self.value < _LARGEST:
            return str(self.value)
        return None

    @property
    def advice(self) -> str:
        """What to write instead."""
        return f"write {self.instead or 'it in decimal'}"


def is_decimal(text: str) -> bool:
    """Whether a text that YAML reads as a number is that number in decimal."""
    import re

    return re.fullmatch(_DECIMAL, text) is not None


def from_text(text: str) -> int | None:
    """The whole number that a quoted text spells in decimal, or None."""
    is_whole = text.isascii() and text.isdigit() and len(text) <= _LONGEST and (text[0] != "0" or text == "0")
    return int(text) if is_whole else None
