"""A call's arguments, one by one."""

from __future__ import annotations

from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name, lifts_a_guard, nearest, quoted, wire_name
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.errors.spelling import Spelling


class InvalidArgument(TropError):
    """An argument that is missing, unknown, of the wrong type, out of bounds, or at odds with another one.

    ``alone`` tells whether the field's own schema refuses it; otherwise other fields, files or the store took part.
    """

    kind = "invalid_argument"

    def __init__(self, field: str, *, expected: str, given: object = None, missing: bool = False, alone: bool = False):
        super().__init__(field, expected, given)
        self.field = field
        self.expected = expected
        self.given = given
        self.missing = missing
        self.alone = alone

    def message(self, spell: Spelling = flag_name) -> str:
        name = spell(self.field) if self.field else "the argument"
        if self.missing:
            return f"{name} is missing: expected {self.expected}"
        if self.given is True and not self.alone:
            # A flag that is at odds with something else: that it was given says all.
            return f"{name}: expected {self.expected}"
        return f"{name}: expected {self.expected}, not {quoted(self.given)}"

    def hint(self, spell: Spelling = flag_name) -> str:
        if not self.field:
            return "Give one JSON object with the command's fields, or nothing."
        if self.missing:
            return f"Give {spell(self.field)} as well, and try again."
        return f"Correct {spell(self.field)} and try again."

    def details(self) -> dict[str, object]:
        return {"field": wire_name(self.field), "expected": self.expected, "given": self.given}


class UnknownArgument(InvalidArgument):
    """A field that the command does not have."""

    def __init__(self, field: str, *, known: Sequence[str]) -> None:
        super().__init__(field, expected=f"one of {', '.join(known)}" if known else "no field at all", alone=True)
        self.given = field
        self.known = tuple(known)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"unknown field {quoted(self.field)}: expected {self.expected}"

    def hint(self, spell: Spelling = flag_name) -> str:
        meant = nearest(self.field, self.known, lifts_a_guard)
        meaning = "" if meant is None else f"Did you mean {meant}? "
        return f"{meaning}Names are case-sensitive; leave away what the message does not list."

    def details(self) -> dict[str, object]:
        return {"field": self.field, "expected": self.expected, "given": self.given}


class UnknownCommand(InvalidArgument):
    """A command that the catalogue does not have.

    ``meant`` is the one that is most like it, if one is; ``own`` the subcommand of the command line that it is, if so.
    """

    def __init__(self, command: str, meant: str | None = None, *, own: str | None = None) -> None:
        self.meant = meant
        self.own = own
        super().__init__("command", expected="a command that trop.listCommands lists", given=command, alone=True)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"there is no command {quoted(self.given)}"

    def hint(self, spell: Spelling = flag_name) -> str:
        meaning = "" if self.meant is None else f"Did you mean {self.meant}? "
        if self.own is not None:
            meaning = f"Only the command line has it: trop {self.own}. "
        return f"{meaning}trop.listCommands lists every command."


class UnusableOption(InvalidArgument):
    """An option that the command does not take, because it contradicts what the command is for."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, expected="to be left away", given=True)
        self.reason = reason

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{spell(self.field)} cannot be used here: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Leave {spell(self.field)} away."


class UnaccompaniedFlag(InvalidArgument):
    """A flag that means nothing without another field."""

    def __init__(self, field: str, companion: str, *, expected: str) -> None:
        super().__init__(field, expected=expected, given=True)
        self.companion = companion

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Give {spell(self.companion)} as well, or leave {spell(self.field)} away."


class Contradiction(InvalidArgument):
    """Two fields of which only one can be given."""

    def __init__(self, field: str, other: str, *, expected: str, given: object = True) -> None:
        super().__init__(field, expected=expected, given=given)
        self.other = other

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{spell(self.field)}: expected {self.expected}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Leave {spell(self.field)} or {spell(self.other)} away."


class UnclearPlaceholder(InvalidArgument):
    """A placeholder without a tag, where several services have ports and none of them is foremost."""

    def __init__(self, placeholder: str, *, tags: Sequence[str]) -> None:
        named = [f"{placeholder[:-1]}:{tag}}}" for tag in tags[:10]]
        super().__init__("command", expected=f"one of {', '.join(named)}", given=placeholder)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{quoted(self.given)} could be any of several services, of which none is called web"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Write {self.expected}."


class UnknownShell(InvalidArgument):
    """Nothing tells for which shell the answer is meant."""

    def message(self, spell: Spelling = flag_name) -> str:
        return "for which shell the lines are cannot be told: neither what runs trop nor SHELL is one that trop knows"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Name it with {spell(self.field)}: {self.expected}."


class InvalidIdentifier(TropError):
    """A tag, project or task that is empty, too long or holds control characters."""

    kind = "invalid_identifier"

    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(field, value, reason)
        self.field = field
        self.value = value
        self.reason = reason

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{quoted(self.value)} is no valid {self.field}: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"A {self.field} has 1 to 255 characters, none of them a control character."

    def details(self) -> dict[str, object]:
        return {"field": wire_name(self.field), "value": self.value}
