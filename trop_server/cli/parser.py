"""The command line's grammar, made from the catalogue."""

from __future__ import annotations

import argparse
import re
from functools import partial
from types import MappingProxyType

from trop_core.catalogue import operation
from trop_core.errors.spelling import lifts_a_guard, nearest, quoted, shell_word
from trop_core.light_types import TYPE_CHECKING, Any, NoReturn
from trop_server.cli.exit_codes import USAGE
from trop_server.cli.printing import is_terminal, say
from trop_server.cli.subcommands import (
    CLEANUPS,
    EPILOGS,
    OWN,
    RUN,
    SET_CLEANUPS,
    SUBCOMMANDS,
    add_arguments,
    add_global,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


_DESCRIPTION = "Gives every directory a port of its own, and always the same one: port=$(trop reserve)"

SUBCOMMAND = "SUBCOMMAND"
STATUS = "status"
_INVALID_CHOICE = re.compile(r"argument (.+?): invalid choice: (.+) \(choose from (.*)\)", re.DOTALL)
"""What argparse says of a word that is none of a few."""


_REQUIRED = "the following arguments are required: "
"""What it says before the names of those that are missing."""


class Parser(argparse.ArgumentParser):
    """A parser whose usage errors have the exit code of the contract: 2, argparse's own, means a lock timeout here."""

    absent = argparse.SUPPRESS
    subcommands: Mapping[str, Parser] = MappingProxyType({})
    """The parsers of the subcommands that were built."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.register("action", SET_CLEANUPS, partial(_SetCleanups, nargs=0))

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the command line and how to learn more, and exit with 4."""
        if message.startswith(_REQUIRED) and not message.endswith(SUBCOMMAND):
            missing = " ".join(map(self._as_typed, message.removeprefix(_REQUIRED).split(", ")))
            self._refuse(message, advice=f"add {missing}; ")
        refused = _INVALID_CHOICE.fullmatch(message)
        if refused is None:
            self._refuse(message)
        place, value = refused[1], refused[2].strip("'\"")
        choices = [choice.strip(" '\"") for choice in refused[3].split(",")]
        if place == SUBCOMMAND:
            meant = nearest(value, SUBCOMMANDS, _is_destructive)
            self._refuse(f"there is no subcommand {quoted(value)}", advice=_guess(meant))
        # All shells are called alike, and one does not read the lines of another.
        meant = None if place.lower().endswith("shell") else nearest(value, choices)
        self._refuse(
            f"{place.rpartition('/')[2]}: expected one of {', '.join(choices)}, not {quoted(value)}",
            advice=_guess(meant),
        )

    def refuse_arguments(self, unknown: Sequence[str]) -> NoReturn:
        """Tell of arguments that the subcommand does not take, and exit with 4."""
        flag = unknown[0].partition("=")[0]
        known = [option for option in self._option_string_actions if option.startswith("--")]
        # What is a field of other subcommands is a filter of this one.
        meant = next((option for option in known if option == f"--filter-{flag[2:]}"), None)
        if meant is None and flag.startswith("--"):
            meant = nearest(flag, known, lifts_a_guard)
        if meant is None:
            meant = self._usually_meant(unknown[0])
        self._refuse(f"unrecognized arguments: {' '.join(unknown)}", advice=_guess(meant))

    def _usually_meant(self, given: str) -> str | None:
        """What a word or an option that other programs have may stand for here."""
        if given == "-v":
            return " or ".join(each for each in ("--version", "--verbose") if each in self._option_string_actions)
        if given == "--json" and "--format" in self._option_string_actions:
            return "--format json"
        if not given.startswith("-") and "--tag" in self._option_string_actions:
            return f"--tag {shell_word(given)}"
        return None

    def _refuse(self, message: str, *, advice: str = "") -> NoReturn:
        say(f"error: {message}", f"hint: {advice}{self.prog} --help lists what there is")
        self.exit(USAGE)

    def _as_typed(self, name: str) -> str:
        """An argument as it stands on a command line: an option with a word for its value."""
        option = self._option_string_actions.get(name)
        return name if option is None else f"{name} {option.metavar}"

    def leave_the_rest(self) -> None:
        """Take all that stands behind the first word, options too, for words of the command that is to run."""
        for action in self._get_positional_actions():
            action.nargs = argparse.REMAINDER

    def begin_of_words(self, arguments: Sequence[str]) -> int:
        """Where options end: the place of ``--``, or of the first word that is neither an option nor an option's value.

        The length of the arguments where there is no such word.
        """
        place = 0
        while place < len(arguments):
            argument = arguments[place]
            if argument == "--" or not argument.startswith("-") or argument == "-":
                return place
            option = self._option_string_actions.get(argument)
            # A value in the same word, behind a =, is found with none.
            place += 1 if option is None or option.nargs == 0 else 2
        return len(arguments)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line says. Exits by itself for a usage error, ``--help``, ``help`` and ``--version``.

    Only the subcommands that the arguments mention are built: the others would cost more than a reservation.
    """
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    arguments, command = _without_command(arguments)
    is_bare = not any(argument in SUBCOMMANDS for argument in arguments)
    if is_bare and is_terminal() and build(()).begin_of_words(arguments) == len(arguments):
        # A person who types nothing else wants to know how things stand.
        arguments = [*arguments, STATUS]
    mentioned = [name for name in SUBCOMMANDS if name in arguments]
    if any(argument in ("-h", "--help") for argument in arguments):
        return build(formatter=argparse.HelpFormatter).parse_args(arguments)
    parser = build(mentioned or SUBCOMMANDS)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.subcommands.get(options.subcommand, parser).refuse_arguments(unknown)
    if options.subcommand is None:
        parser.error(f"{_REQUIRED}{SUBCOMMAND}")
    if options.subcommand == RUN:
        options.command = command
    return options


def _without_command(arguments: Sequence[str]) -> tuple[Sequence[str], list[str]]:
    """The arguments that are trop's own, and the command that ``run`` is given: no word of that is looked at."""
    if RUN not in arguments:
        return arguments, []
    parser = build([RUN])
    own = parser.begin_of_words(arguments) + 1
    if arguments[own - 1 : own] != [RUN]:
        return arguments, []
    own += parser.subcommands[RUN].begin_of_words(arguments[own:])
    command = list(arguments[own:])
    return arguments[:own], command[1:] if command[:1] == ["--"] else command


class _Unseen(argparse.HelpFormatter):
    """The formatter for when no help is asked for: argparse makes one for each argument, to check it.

    The ordinary one asks for the terminal's width each time, with a module that costs 2 ms to import.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def build(names: Iterable[str] = SUBCOMMANDS, formatter: type[argparse.HelpFormatter] = _Unseen) -> Parser:
    """The parser with the named subcommands, all of them by default."""
    parser = Parser(prog="trop", description=_DESCRIPTION, allow_abbrev=False, formatter_class=formatter)
    add_global(parser, top=True)
    subparsers = parser.add_subparsers(
        dest="subcommand", metavar=SUBCOMMAND, title="subcommands", prog="trop", parser_class=Parser
    )
    parser.subcommands = subparsers.choices
    for name in names:
        subparser = subparsers.add_parser(
            name,
            help=SUBCOMMANDS[name],
            description=_sentence(SUBCOMMANDS[name]),
            allow_abbrev=False,
            formatter_class=formatter,
        )
        add_global(subparser, top=False)
        if name in EPILOGS:
            subparser.formatter_class = argparse.RawDescriptionHelpFormatter
            subparser.epilog = EPILOGS[name]
        add_arguments(subparser, name)
    return parser


class _SetCleanups(argparse.Action):
    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        for name in CLEANUPS:
            setattr(namespace, name, True)


def _guess(meant: str | None) -> str:
    return "" if meant is None else f"did you mean {meant}? "


def _is_destructive(subcommand: str) -> bool:
    return subcommand not in OWN and operation(subcommand.replace("-", "_")).destructive


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
