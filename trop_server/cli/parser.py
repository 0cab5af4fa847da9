"""The command line's grammar, made from the catalogue."""

from __future__ import annotations

import argparse
import re
from types import MappingProxyType

from trop_core import __version__
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.spelling import flag_name, quoted
from trop_core.fields import Field, Kind
from trop_core.light_typing import TYPE_CHECKING, Any, NoReturn
from trop_server.cli.exit_codes import USAGE
from trop_server.cli.printing import is_terminal, say
from trop_server.cli.subcommands import BUILDERS, POSITIONALS, SUBCOMMANDS, add_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trop_core.catalogue import Operation

_DESCRIPTION = "Gives every directory a port of its own, and always the same one: port=$(trop reserve)"

SUBCOMMAND = "SUBCOMMAND"
RUN = "run"
STATUS = "status"
_INVALID_CHOICE = re.compile(r"argument (.+?): invalid choice: (.+) \(choose from (.*)\)", re.DOTALL)
"""What argparse says of a word that is none of a few."""


class Parser(argparse.ArgumentParser):
    """A parser whose usage errors have the exit code of the contract: 2, argparse's own, means a lock timeout here."""

    subcommands: Mapping[str, Parser] = MappingProxyType({})
    """The parsers of the subcommands that were built."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the command line and how to learn more, and exit with 4."""
        refused = _INVALID_CHOICE.fullmatch(message)
        if refused is None:
            self._refuse(message)
        place, value = refused[1], refused[2].strip("'\"")
        choices = [choice.strip(" '\"") for choice in refused[3].split(",")]
        if place == SUBCOMMAND:
            self._refuse(f"there is no subcommand {quoted(value)}", nearest(value, SUBCOMMANDS))
        self._refuse(
            f"{place.rpartition('/')[2]}: expected one of {', '.join(choices)}, not {quoted(value)}",
            nearest(value, choices),
        )

    def refuse_arguments(self, unknown: Sequence[str]) -> NoReturn:
        """Tell of arguments that the subcommand does not take, and exit with 4."""
        flag = unknown[0].partition("=")[0]
        known = [option for option in self._option_string_actions if option.startswith("--")]
        self._refuse(
            f"unrecognized arguments: {' '.join(unknown)}", nearest(flag, known) if flag.startswith("--") else None
        )

    def _refuse(self, message: str, meant: str | None = None) -> NoReturn:
        meaning = "" if meant is None else f"did you mean {meant}? "
        say(f"error: {message}", f"hint: {meaning}{self.prog} --help lists what there is")
        self.exit(USAGE)

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


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Of known names the one that is most like another, or None where none is."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, n=1)), None)


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
        parser.subcommands[options.subcommand].refuse_arguments(unknown)
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
    _add_global(parser, top=True)
    subparsers = parser.add_subparsers(
        dest="subcommand", metavar=SUBCOMMAND, required=True, title="subcommands", prog="trop", parser_class=Parser
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
        _add_global(subparser, top=False)
        BUILDERS.get(name, add_fields)(subparser, name)
    return parser


def spelled(subcommand: str, field: str) -> str:
    """What a person types for a field: its flag, or ``PORT`` where it stands without one."""
    return field.upper() if POSITIONALS.get(subcommand) == field else flag_name(field)


def given_values(operation: Operation, options: argparse.Namespace) -> dict[str, object]:
    """The values of an operation's fields, by their names in JSON; what was not given is left out.

    Raises ``InvalidArgument`` for a text that is no whole number where one belongs.
    """
    values: dict[str, object] = {}
    for field in operation.fields:
        value = getattr(options, f"field_{field.name}", None)
        if value is not None:
            values[field.wire] = _whole_number(field, value) if field.kind is Kind.INTEGER else value
    return values


def _whole_number(field: Field, text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise InvalidArgument(field.name, expected=field.expectation, given=text, alone=True)
    return int(text)


def _add_global(parser: Parser, *, top: bool) -> None:
    """Options that may stand before or after the subcommand: the one that was given last counts."""
    group = parser.add_argument_group("options of every subcommand")
    default: Any = None if top else argparse.SUPPRESS
    group.add_argument("--verbose", action="store_true", default=default, help="Tell where values come from.")
    group.add_argument("--quiet", action="store_true", default=default, help="Tell nothing but errors.")
    group.add_argument("--data-dir", metavar="PATH", default=default, help="The directory that holds the store.")
    group.add_argument(
        "--busy-timeout",
        metavar="SECONDS",
        default=default,
        help="How long to wait for the store's lock; 5 by default.",
    )
    group.add_argument(
        "--disable-autoinit", action="store_true", default=default, help="Do not create a store that is missing."
    )
    group.add_argument("-V", "--version", action="version", version=f"trop {__version__}", help="Print the version.")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
