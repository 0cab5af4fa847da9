"""Reads the command lines that are plainly right, without argparse.

What the subcommands take is said once, in ``trop_server.cli.subcommands``: argparse is told it, and so is this.
Whatever is not plainly right, and what argparse would answer by itself, is left to argparse: it has the words for it.
"""

from __future__ import annotations

from types import SimpleNamespace

from trop_core.light_types import TYPE_CHECKING, Any
from trop_server.cli.subcommands import CLEANUPS, RUN, SUBCOMMANDS, add_arguments, add_global

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_NOT_TOLD = object()


class _NotPlain(Exception):
    """Raised where argparse has to read the line."""


class Argument:
    """An option, or a value that stands without one, as argparse is told of it."""

    def __init__(
        self,
        names: tuple[str, ...],
        *,
        action: str = "store",
        dest: str | None = None,
        nargs: str | int | None = None,
        default: Any = _NOT_TOLD,
        type: Callable[[str], Any] = str,
        choices: Sequence[Any] | None = None,
        required: bool = False,
        **_: Any,
    ) -> None:
        self.dest = dest or names[0].lstrip("-").replace("-", "_")
        self.action = action
        self.nargs = nargs
        self.default = default
        if default is _NOT_TOLD:
            self.default = False if action == "store_true" else None
        self.required = required
        self._type = type
        self._choices = choices

    def value(self, text: str) -> Any:
        """A text as the argument is kept."""
        try:
            value = self._type(text)
        except ValueError as error:
            raise _NotPlain from error
        if self._choices is not None and value not in self._choices:
            raise _NotPlain
        return value


class PlainGrammar:
    """What one subcommand takes, or every one: it is told as a parser of argparse is."""

    absent = object()

    def __init__(self) -> None:
        self.options: dict[str, Argument] = {}
        self.words: list[Argument] = []

    def add_argument_group(self, title: str) -> PlainGrammar:
        """A group of arguments, which matters to ``--help`` alone: itself."""
        return self

    def add_argument(self, *names: str, **told: Any) -> Argument:
        """Take one more argument."""
        argument = Argument(names, **told)
        if names[0].startswith("-"):
            self.options.update(dict.fromkeys(names, argument))
        else:
            self.words.append(argument)
        return argument

    def arguments(self) -> list[Argument]:
        """All of them. One with several names is there several times."""
        return [*self.options.values(), *self.words]


def read(arguments: Sequence[str]) -> SimpleNamespace | None:
    """What a command line says, as ``trop_server.cli.parser`` would find it, or None where that has to read it."""
    try:
        return _Line(arguments).read()
    except _NotPlain:
        return None


class _Line:
    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._place = 0
        self._said: dict[str, Any] = {}

    def read(self) -> SimpleNamespace:
        every = PlainGrammar()
        add_global(every, top=True)
        self._expect(every)
        self._read_options(every)
        subcommand = self._next()
        if subcommand not in SUBCOMMANDS:
            raise _NotPlain
        own = PlainGrammar()
        add_global(own, top=False)
        add_arguments(own, subcommand)
        self._expect(own)
        self._said["subcommand"] = subcommand
        self._read_options(own)
        if subcommand == RUN:
            self._read_command()
        else:
            self._read_words(own)
            self._read_options(own)
        if self._place < len(self._arguments):
            raise _NotPlain
        if any(argument.required and self._said[argument.dest] is None for argument in own.options.values()):
            raise _NotPlain
        return SimpleNamespace(**self._said)

    def _next(self) -> str:
        if self._place == len(self._arguments):
            raise _NotPlain
        self._place += 1
        return self._arguments[self._place - 1]

    def _is_at_word(self) -> bool:
        return self._place < len(self._arguments) and not self._arguments[self._place].startswith("-")

    def _expect(self, grammar: PlainGrammar) -> None:
        """Let everything have its default until it is given."""
        for argument in grammar.arguments():
            if argument.default is not PlainGrammar.absent and argument.action != "version":
                self._said.setdefault(argument.dest, argument.default)

    def _read_options(self, grammar: PlainGrammar) -> None:
        """Read as many options as there are in a row."""
        while self._place < len(self._arguments) and self._arguments[self._place].startswith("--"):
            if self._arguments[self._place] == "--":
                return
            name, has_value, text = self._next().partition("=")
            option = grammar.options.get(name)
            if option is None or option.action == "version" or (has_value and text in ("", "--")):
                raise _NotPlain
            if option.action in ("store", "append"):
                if not has_value:
                    if not self._is_at_word():
                        raise _NotPlain
                    text = self._next()
                value = option.value(text)
                self._said[option.dest] = [*self._said[option.dest], value] if option.action == "append" else value
            elif has_value:
                raise _NotPlain
            elif option.action == "store_true":
                self._said[option.dest] = True
            else:
                self._said.update(dict.fromkeys(CLEANUPS, True))

    def _read_command(self) -> None:
        """Read what is to be run: no word of that is looked at."""
        rest = list(self._arguments[self._place :])
        if not rest or rest[0] in ("-", "--") or self._is_at_word():
            self._said["command"] = rest[1:] if rest[:1] == ["--"] else rest
            self._place = len(self._arguments)

    def _read_words(self, grammar: PlainGrammar) -> None:
        """Read the values that stand without an option, all of which stand side by side."""
        for word in grammar.words:
            if self._is_at_word():
                self._said[word.dest] = word.value(self._next())
            elif word.nargs is None:
                raise _NotPlain
